//! Settlements: what Razorpay pays to the merchant's bank, and the list by which both can be compared.

use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::api::{Paging, collection};
use super::entities::{Link, Payment, fee};
use super::store::{Razorpay, new_id};
use super::webhooks;

pub(super) fn router() -> Router<Razorpay> {
    Router::new().route("/v1/settlements", get(list)).route("/v1/settlements/recon/combined", get(combined))
}

pub(super) fn control() -> Router<Razorpay> {
    Router::new().route("/sandbox/settle", post(settle))
}

fn settled(item: &Value, id: &str) -> bool {
    item.get("entity_id").and_then(Value::as_str) == Some(id)
}

fn of_payment(link: &Link, payment: &Payment) -> Value {
    let (fee, tax) = fee(payment.amount);
    json!({ "entity_id": payment.id, "type": "payment", "debit": 0, "credit": payment.amount - fee, "amount": payment.amount,
            "currency": link.currency, "fee": fee, "tax": tax, "method": payment.method, "payment_id": null,
            "order_id": link.order_id, "order_receipt": link.reference_id, "created_at": payment.created_at })
}

/// Settles what was captured or refunded and is not settled yet.
async fn settle(State(razorpay): State<Razorpay>) -> Json<Value> {
    let (now, id, utr) = (razorpay.now(), new_id("setl_"), new_id("UTR"));
    let items = {
        let mut state = razorpay.state();
        let done: Vec<&Value> = state.settlements.iter().flatten().collect();
        let is_new = |id: &str| !done.iter().any(|item| settled(item, id));
        let mut items = Vec::new();
        for link in &state.links {
            let new = link.payments.iter().filter(|payment| payment.status == "captured" && is_new(&payment.id));
            items.extend(new.map(|payment| of_payment(link, payment)));
        }
        for refund in state.refunds.iter().filter(|refund| refund.status == "processed" && is_new(&refund.id)) {
            items.push(json!({ "entity_id": refund.id, "type": "refund", "debit": refund.amount, "credit": 0,
                               "amount": refund.amount, "currency": "INR", "fee": 0, "tax": 0,
                               "payment_id": refund.payment_id, "created_at": refund.created_at }));
        }
        for item in &mut items {
            if let Some(item) = item.as_object_mut() {
                item.insert("settled".to_owned(), json!(true));
                item.insert("settled_at".to_owned(), json!(now));
                item.insert("settlement_id".to_owned(), json!(id));
                item.insert("settlement_utr".to_owned(), json!(utr));
            }
        }
        state.settlements.push(items.clone());
        items
    };
    let entity = summary(&items, &id, now);
    let payload = json!({ "settlement": { "entity": entity } });
    webhooks::send_payload(&razorpay, "settlement.processed", &payload, now);
    Json(entity)
}

fn summary(items: &[Value], id: &str, at: i64) -> Value {
    let sum = |name: &str| items.iter().filter_map(|item| item.get(name).and_then(Value::as_i64)).sum::<i64>();
    json!({ "id": id, "entity": "settlement", "amount": sum("credit") - sum("debit"), "status": "processed", "fees": sum("fee"),
            "tax": sum("tax"), "utr": items.first().and_then(|item| item.get("settlement_utr")), "created_at": at })
}

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn at(item: &Value) -> i64 {
    item.get("settled_at").and_then(Value::as_i64).unwrap_or(0)
}

async fn list(State(razorpay): State<Razorpay>, Query(paging): Query<Paging>) -> Response {
    let state = razorpay.state();
    let made = state.settlements.iter().filter_map(|items| {
        let first = items.first()?;
        Some((at(first), summary(items, text(first, "settlement_id"), at(first))))
    });
    paging.collection(made.collect())
}

/// Everything that was settled; the month that is asked for is not looked at.
async fn combined(State(razorpay): State<Razorpay>) -> Response {
    let items: Vec<Value> = razorpay.state().settlements.iter().flatten().cloned().collect();
    collection(&items)
}
