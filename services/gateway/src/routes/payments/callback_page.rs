//! The page to which a browser comes back from Razorpay.

use actix_web::http::header::HeaderValue;
use kit::money::decimal;
use minijinja::{AutoEscape, Environment, context};
use proto::payments::CallbackResponse;

use crate::http::context::HandlerResult;
use crate::http::reply::Reply;

/// The page has its style in itself and nothing else.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'");

/// The page with the state of a payment: whom it pays, how much, and what happens next.
pub(super) fn callback_page(found: CallbackResponse) -> HandlerResult {
    let (title, text) = match found.outcome.as_str() {
        "active" => ("Premium is active", "Your payment has arrived. You can close this page."),
        "confirming" => (
            "We are confirming your payment",
            "This takes a minute at most. You can close this page: premium starts by itself, and a receipt is mailed.",
        ),
        "goes_back" => (
            "This payment was not needed",
            "Premium was bought already, or the organisation is gone. Your money goes back the way it came.",
        ),
        "refunded" => ("Your payment has gone back", "The bank shows it within seven working days."),
        "failed" => (
            "The payment did not go through",
            "Nothing was taken, or it goes back by itself. You can ask for a new payment link.",
        ),
        _ => ("Thank you", "You can close this page. What was paid is confirmed in the app."),
    };
    let mut env = Environment::new();
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    let page = env.template_from_str(include_str!("callback.html")).map_err(kit::Error::internal)?;
    let html = page
        .render(context! {
            title,
            text,
            outcome => found.outcome,
            organisation => found.organisation,
            amount => format!("{} {}", found.currency, decimal(found.amount_minor)),
            reference => found.reference_id,
        })
        .map_err(kit::Error::internal)?;
    Ok(Reply::other("text/html; charset=utf-8", html.into_bytes()).header("content-security-policy", POLICY))
}
