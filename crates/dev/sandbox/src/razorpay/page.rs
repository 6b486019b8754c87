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
    let form = match link.status {
        "created" => format!(
            "<form method=post action=\"/i/{code}/pay\"><button name=outcome value=success>Pay</button> \
             <button name=outcome value=failure>Fail</button></form>"
        ),
        status => format!("<p>This link is {status}."),
    };
    Html(format!(
        "<!doctype html><meta charset=utf-8><title>Pay</title><style>body{{font:18px system-ui;margin:4rem auto;max-width:30rem}}\
         button{{font:inherit;padding:.5rem 1.5rem}}</style><h1>{}</h1><p>{} {}.{:02}{form}",
        escape(&link.description),
        link.currency,
        link.amount / 100,
        link.amount % 100
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
    Html(if success { "<p>Paid." } else { "<p>The payment failed. You may try again." }).into_response()
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
