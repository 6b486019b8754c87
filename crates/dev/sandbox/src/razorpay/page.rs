use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;

use super::entities::{Link, Payment};
use super::paying::{self, Outcome, Try};
use super::signature::sign;
use super::store::Razorpay;

pub(super) fn router() -> Router<Razorpay> {
    Router::new().route("/i/{code}", get(show)).route("/i/{code}/pay", post(pay))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The page on which a person makes a payment that succeeds or fails.
async fn show(State(razorpay): State<Razorpay>, Path(code): Path<String>) -> Response {
    razorpay.expire();
    let state = razorpay.state();
    let Some(link) = state.links.iter().find(|link| link.code == code) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let action = match link.status {
        "created" | "partially_paid" => format!(
            "<form method=post action=\"/i/{code}/pay\"><label>UPI address<input name=vpa value=success@razorpay></label>\
             <button name=outcome value=success>Pay {}</button> \
             <button class=faint name=outcome value=failure>Let it fail</button></form>",
            amount(link)
        ),
        "paid" => "<p class=state>This link is paid. Thank you.".to_owned(),
        "expired" => "<p class=state>This link has expired. Nothing was taken. Ask for a new one.".to_owned(),
        _ => "<p class=state>This link was cancelled. Nothing was taken.".to_owned(),
    };
    let content = format!(
        "<h1>{}</h1><p class=amount>{}<dl><dt>Reference<dd>{}<dt>Paid to<dd>SongList (sandbox)</dl>{action}\
         <p class=faint>A page of the sandbox: no money moves.",
        escape(&link.description),
        amount(link),
        escape(&link.reference_id),
    );
    page(&content)
}

fn amount(link: &Link) -> String {
    format!("{} {}", escape(&link.currency), kit::money::decimal(link.amount - link.paid()))
}

fn page(content: &str) -> Response {
    const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;background:#f4f4f7;color:#1d1d28;margin:0;padding:24px 12px}\
        main{max-width:26rem;margin:6vh auto;background:#fff;border-radius:12px;padding:24px}h1{font-size:22px;margin:0 0 8px}\
        .amount{font-size:28px;margin:0 0 16px}dl{display:grid;grid-template-columns:auto 1fr;gap:4px 16px;margin:0 0 20px}\
        dt,.faint{color:#6b6b7b}dd{margin:0;text-align:right;overflow-wrap:anywhere}form{display:flex;gap:8px;flex-wrap:wrap}\
        button{font:inherit;padding:10px 20px;border:0;border-radius:8px;background:#3b2a9e;color:#fff;flex:1 0 auto}\
        label{flex:1 0 100%;color:#6b6b7b}input{font:inherit;width:100%;box-sizing:border-box;padding:8px;border:1px solid #c8c8d4;\
        border-radius:8px;color:#1d1d28}button.faint{background:#e6e6ec;color:#1d1d28}.state{font-weight:600}";
    Html(format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width,initial-scale=1\">\
         <title>Pay</title><style>{STYLE}</style><main>{content}</main>"
    ))
    .into_response()
}

/// What a payer fills in. With the test address for failures the payment fails, whichever button is pressed.
#[derive(Deserialize)]
struct Filled {
    outcome: String,
    vpa: Option<String>,
    /// Paise, where a part may be paid.
    amount: Option<i64>,
}

async fn pay(State(razorpay): State<Razorpay>, Path(code): Path<String>, Form(filled): Form<Filled>) -> Response {
    let vpa = filled.vpa.filter(|vpa| !vpa.is_empty());
    let success = filled.outcome == "success" && vpa.as_deref() != Some("failure@razorpay");
    let outcome = if success { Outcome::Captured } else { Outcome::Failed };
    let least = {
        let state = razorpay.state();
        let Some(link) = state.links.iter().find(|link| link.code == code) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        link.first_part
    };
    let amount = filled.amount.filter(|amount| least.is_some_and(|least| *amount >= least));
    let tried = Try { outcome, amount, vpa, late: false };
    let (link, payment) = match paying::pay(&razorpay, |link| link.code == code, &tried) {
        Ok(made) => made,
        Err(why) => return (StatusCode::CONFLICT, why).into_response(),
    };
    if success && !link.callback_url.is_empty() {
        return Redirect::to(&callback(&razorpay, &link, &payment)).into_response();
    }
    page(if success {
        "<h1>Paid</h1><p>Thank you. You can close this page."
    } else {
        "<h1>The payment failed</h1><p>Nothing was taken. Go back to try again."
    })
}

/// The signed redirect of a payment that succeeded.
fn callback(razorpay: &Razorpay, link: &Link, payment: &Payment) -> String {
    let message = format!("{}|{}|{}|{}", link.id, link.reference_id, link.status, payment.id);
    let signature = sign(&razorpay.options.key_secret, message.as_bytes());
    format!(
        "{}?razorpay_payment_id={}&razorpay_payment_link_id={}&razorpay_payment_link_reference_id={}\
         &razorpay_payment_link_status={}&razorpay_signature={signature}",
        link.callback_url, payment.id, link.id, link.reference_id, link.status
    )
}
