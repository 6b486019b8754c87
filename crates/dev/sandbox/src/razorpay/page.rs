use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;

use super::signature::sign;
use super::store::{Link, Payment, Razorpay, new_id};
use super::webhooks;

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
        "created" => format!(
            "<form method=post action=\"/i/{code}/pay\"><button name=outcome value=success>Pay {}</button> \
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
    format!("{} {}", escape(&link.currency), kit::money::decimal(link.amount))
}

fn page(content: &str) -> Response {
    const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;background:#f4f4f7;color:#1d1d28;margin:0;padding:24px 12px}\
        main{max-width:26rem;margin:6vh auto;background:#fff;border-radius:12px;padding:24px}h1{font-size:22px;margin:0 0 8px}\
        .amount{font-size:28px;margin:0 0 16px}dl{display:grid;grid-template-columns:auto 1fr;gap:4px 16px;margin:0 0 20px}\
        dt,.faint{color:#6b6b7b}dd{margin:0;text-align:right;overflow-wrap:anywhere}form{display:flex;gap:8px;flex-wrap:wrap}\
        button{font:inherit;padding:10px 20px;border:0;border-radius:8px;background:#3b2a9e;color:#fff;flex:1 0 auto}\
        button.faint{background:#e6e6ec;color:#1d1d28}.state{font-weight:600}";
    Html(format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width,initial-scale=1\">\
         <title>Pay</title><style>{STYLE}</style><main>{content}</main>"
    ))
    .into_response()
}

#[derive(Deserialize)]
struct Outcome {
    outcome: String,
}

async fn pay(State(razorpay): State<Razorpay>, Path(code): Path<String>, Form(form): Form<Outcome>) -> Response {
    razorpay.expire();
    let success = form.outcome == "success";
    let (link, payment) = {
        let now = razorpay.now();
        let mut state = razorpay.state();
        let Some(link) = state.links.iter_mut().find(|link| link.code == code) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        if link.status != "created" {
            return (StatusCode::CONFLICT, format!("this link is {}", link.status)).into_response();
        }
        // Razorpay makes the order with the first try to pay.
        link.order_id.get_or_insert_with(|| new_id("order_"));
        let status = if success { "captured" } else { "failed" };
        let payment = Payment { id: new_id("pay_"), status, amount: link.amount, created_at: now };
        link.payments.push(payment.clone());
        if success {
            link.status = "paid";
        }
        (link.clone(), payment)
    };
    webhooks::report(&razorpay, &link, &payment);
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
