//! Orders and payments.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use super::api::{Paging, collection, unknown_id};
use super::store::Razorpay;

pub(super) fn router() -> Router<Razorpay> {
    Router::new()
        .route("/v1/orders", get(orders))
        .route("/v1/orders/{id}", get(order))
        .route("/v1/orders/{id}/payments", get(payments_of_order))
        .route("/v1/payments", get(payments))
        .route("/v1/payments/{id}", get(payment))
}

async fn orders(State(razorpay): State<Razorpay>, Query(paging): Query<Paging>) -> Response {
    let state = razorpay.state();
    let made = state.links.iter().filter(|link| link.order_id.is_some());
    paging.collection(made.map(|link| (link.created_at, link.order())).collect())
}

async fn order(State(razorpay): State<Razorpay>, Path(id): Path<String>) -> Response {
    let state = razorpay.state();
    let link = state.links.iter().find(|link| link.order_id.as_ref() == Some(&id));
    link.map_or_else(unknown_id, |link| Json(link.order()).into_response())
}

async fn payments_of_order(State(razorpay): State<Razorpay>, Path(id): Path<String>) -> Response {
    let state = razorpay.state();
    let Some(link) = state.links.iter().find(|link| link.order_id.as_ref() == Some(&id)) else { return unknown_id() };
    let items: Vec<Value> = link.payments.iter().map(|payment| link.payment(payment, &state.refunds)).collect();
    collection(&items)
}

async fn payments(State(razorpay): State<Razorpay>, Query(paging): Query<Paging>) -> Response {
    let state = razorpay.state();
    let refunds = &state.refunds;
    let all = state
        .links
        .iter()
        .flat_map(|link| link.payments.iter().map(move |payment| (payment.created_at, link.payment(payment, refunds))));
    paging.collection(all.collect())
}

async fn payment(State(razorpay): State<Razorpay>, Path(id): Path<String>) -> Response {
    let state = razorpay.state();
    let found = state.links.iter().find_map(|link| {
        let payment = link.payments.iter().find(|payment| payment.id == id)?;
        Some(link.payment(payment, &state.refunds))
    });
    found.map_or_else(unknown_id, |payment| Json(payment).into_response())
}
