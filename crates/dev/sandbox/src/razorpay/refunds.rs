//! Refunds and disputes: those that the API makes, and those that a merchant or a bank makes, which only a webhook tells about.

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Paging, collection, refused, unknown_id};
use super::entities::{Link, Payment, Refund};
use super::store::{Answered, Razorpay, new_id};
use super::webhooks;

/// The API's part of the router.
pub(super) fn router() -> Router<Razorpay> {
    Router::new()
        .route("/v1/payments/{id}/refund", post(create))
        .route("/v1/payments/{id}/refunds", get(of_payment))
        .route("/v1/payments/{payment}/refunds/{id}", get(of_payment_by_id))
        .route("/v1/refunds", get(list))
        .route("/v1/refunds/{id}", get(by_id))
}

/// What a test does in the place of a merchant, a bank or time.
pub(super) fn control() -> Router<Razorpay> {
    Router::new()
        .route("/sandbox/payments/{id}/refund", post(refund_on_dashboard))
        .route("/sandbox/payments/{id}/dispute", post(dispute))
        .route("/sandbox/refunds/{id}", post(settle))
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Pending,
    Processed,
    Failed,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processed => "processed",
            Self::Failed => "failed",
        }
    }

    fn event(self) -> &'static str {
        match self {
            Self::Pending => "refund.created",
            Self::Processed => "refund.processed",
            Self::Failed => "refund.failed",
        }
    }
}

/// Takes money back from a captured payment.
fn make(
    razorpay: &Razorpay,
    id: &str,
    amount: Option<i64>,
    receipt: Option<String>,
    status: Status,
) -> Result<Made, &'static str> {
    let now = razorpay.now();
    let mut state = razorpay.state();
    let place = state.links.iter().position(|link| link.payments.iter().any(|payment| payment.id == id));
    let Some(link) = place.and_then(|place| state.links.get(place)).cloned() else {
        return Err("The id provided does not exist");
    };
    let payment =
        link.payments.iter().find(|payment| payment.id == id).cloned().ok_or("The id provided does not exist")?;
    if payment.status != "captured" {
        return Err("The payment status should be captured for action to be taken");
    }
    let left = payment.amount - state.refunded(id);
    let amount = amount.unwrap_or(left);
    if left <= 0 {
        return Err("The payment has been fully refunded already");
    }
    if amount > left {
        return Err("The total refund amount is greater than the refund payment amount");
    }
    if amount < 100 {
        return Err("The amount must be at least INR 1.00");
    }
    let refund = Refund {
        id: new_id("rfnd_"),
        payment_id: id.to_owned(),
        amount,
        status: status.name(),
        receipt,
        created_at: now,
    };
    state.refunds.push(refund.clone());
    Ok(Made { link, payment, refund })
}

struct Made {
    link: Link,
    payment: Payment,
    refund: Refund,
}

impl Made {
    fn report(&self, razorpay: &Razorpay, event: &str) {
        let refund = self.refund.entity(&self.link.currency);
        let payment = self.link.payment(&self.payment, &razorpay.state().refunds);
        let payload = json!({ "refund": { "entity": refund }, "payment": { "entity": payment } });
        webhooks::send_payload(razorpay, event, &payload, self.refund.created_at);
    }
}

async fn create(
    State(razorpay): State<Razorpay>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let key = headers.get("x-refund-idempotency").and_then(|key| key.to_str().ok()).map(str::to_owned);
    if let Some(known) = key.as_ref().and_then(|key| razorpay.state().answered.iter().find(|a| a.key == *key).cloned())
    {
        if known.body != body {
            return refused(409, "Different request body sent for the same Refund Idempotency Header");
        }
        return Json(known.answer).into_response();
    }
    let receipt = body.get("receipt").and_then(Value::as_str).map(str::to_owned);
    let status = razorpay.state().chaos.refunds_stay_pending;
    let status = if status { Status::Pending } else { Status::Processed };
    let made = match make(&razorpay, &id, body.get("amount").and_then(Value::as_i64), receipt, status) {
        Ok(made) => made,
        Err(why) => return refused(400, why),
    };
    let answer = made.refund.entity(&made.link.currency);
    razorpay.state().answered.extend(key.map(|key| Answered { key, body, answer: answer.clone() }));
    made.report(&razorpay, Status::Pending.event());
    if matches!(status, Status::Processed) {
        made.report(&razorpay, status.event());
    }
    Json(answer).into_response()
}

async fn of_payment(State(razorpay): State<Razorpay>, Path(id): Path<String>) -> Response {
    let state = razorpay.state();
    let items: Vec<Value> =
        state.refunds.iter().filter(|refund| refund.payment_id == id).map(|refund| refund.entity("INR")).collect();
    collection(&items)
}

async fn list(State(razorpay): State<Razorpay>, Query(paging): Query<Paging>) -> Response {
    let state = razorpay.state();
    paging.collection(state.refunds.iter().map(|refund| (refund.created_at, refund.entity("INR"))).collect())
}

async fn by_id(State(razorpay): State<Razorpay>, Path(id): Path<String>) -> Response {
    let state = razorpay.state();
    let found = state.refunds.iter().find(|refund| refund.id == id);
    found.map_or_else(unknown_id, |refund| Json(refund.entity("INR")).into_response())
}

async fn of_payment_by_id(state: State<Razorpay>, Path((_, id)): Path<(String, String)>) -> Response {
    by_id(state, Path(id)).await
}

#[derive(Deserialize)]
struct WantedRefund {
    amount: Option<i64>,
    status: Status,
}

async fn refund_on_dashboard(
    State(razorpay): State<Razorpay>,
    Path(id): Path<String>,
    Json(wanted): Json<WantedRefund>,
) -> Response {
    match make(&razorpay, &id, wanted.amount, None, wanted.status) {
        Ok(made) => {
            made.report(&razorpay, wanted.status.event());
            Json(json!({ "id": made.refund.id })).into_response()
        }
        Err(why) => refused(400, why),
    }
}

#[derive(Deserialize)]
struct Settled {
    status: Status,
}

/// A refund arrives, or fails, after a while.
async fn settle(State(razorpay): State<Razorpay>, Path(id): Path<String>, Json(settled): Json<Settled>) -> Response {
    let made = {
        let mut state = razorpay.state();
        let Some(refund) = state.refunds.iter_mut().find(|refund| refund.id == id) else {
            return unknown_id();
        };
        refund.status = settled.status.name();
        let refund = refund.clone();
        let of = |link: &&Link| link.payments.iter().any(|payment| payment.id == refund.payment_id);
        let Some(link) = state.links.iter().find(of).cloned() else {
            return unknown_id();
        };
        let Some(payment) = link.payments.iter().find(|payment| payment.id == refund.payment_id).cloned() else {
            return unknown_id();
        };
        Made { link, payment, refund }
    };
    made.report(&razorpay, settled.status.event());
    Json(json!({ "ok": true })).into_response()
}

#[derive(Deserialize)]
struct Dispute {
    /// `created`, `under_review`, `action_required`, `won`, `lost` or `closed`.
    status: String,
}

/// The bank of a payer disputes a payment, or has decided.
async fn dispute(State(razorpay): State<Razorpay>, Path(id): Path<String>, Json(wanted): Json<Dispute>) -> Response {
    let now = razorpay.now();
    let payload = {
        let state = razorpay.state();
        let found = state
            .links
            .iter()
            .find_map(|link| link.payments.iter().find(|payment| payment.id == id).map(|payment| (link, payment)));
        let Some((link, payment)) = found else { return unknown_id() };
        let status = if wanted.status == "created" { "open" } else { wanted.status.as_str() };
        let entity = json!({
            "id": format!("disp_{}", id.trim_start_matches("pay_")), "entity": "dispute", "payment_id": id, "amount": payment.amount,
            "currency": link.currency, "status": status, "phase": "chargeback", "created_at": now,
        });
        json!({ "payment": { "entity": link.payment(payment, &state.refunds) }, "dispute": { "entity": entity } })
    };
    webhooks::send_payload(&razorpay, &format!("payment.dispute.{}", wanted.status), &payload, now);
    Json(json!({ "ok": true })).into_response()
}
