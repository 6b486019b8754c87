//! The control API for tests: it plans what goes wrong, acts for payers, merchants, banks and time, and shows what really happened.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::chaos::Wanted;
use super::entities::Link;
use super::links::end;
use super::paying::{Outcome, Try, arrive, pay};
use super::store::Razorpay;
use super::webhooks::release;

pub(super) fn router() -> Router<Razorpay> {
    Router::new()
        .route("/sandbox/chaos", post(set_chaos))
        .route("/sandbox/truth", get(truth))
        .route("/sandbox/clock", post(advance))
        .route("/sandbox/release", post(release_events))
        .route("/sandbox/webhook/enable", post(enable_webhook))
        .route("/sandbox/links/{id}/cancel", post(cancel))
        .route("/sandbox/links/{id}/expire", post(expire))
        .route("/sandbox/links/{id}/pay", post(pay_link))
        .route("/sandbox/payments/{id}/arrive", post(arrive_late))
}

fn done(ok: bool) -> Json<Value> {
    Json(json!({ "ok": ok }))
}

async fn set_chaos(State(razorpay): State<Razorpay>, Json(wanted): Json<Wanted>) -> Json<Value> {
    razorpay.state().chaos.change(wanted);
    done(true)
}

#[derive(Deserialize)]
struct Advance {
    advance_secs: u64,
}

/// Time passes, for Razorpay and for everybody who shares its clock.
async fn advance(State(razorpay): State<Razorpay>, Json(wanted): Json<Advance>) -> Json<Value> {
    razorpay.options.clock.advance(Duration::from_secs(wanted.advance_secs));
    done(true)
}

#[derive(Deserialize)]
struct Release {
    order: Option<Vec<usize>>,
}

async fn release_events(State(razorpay): State<Razorpay>, Json(wanted): Json<Release>) -> Json<Value> {
    Json(json!({ "released": release(&razorpay, wanted.order) }))
}

async fn enable_webhook(State(razorpay): State<Razorpay>) -> Json<Value> {
    razorpay.state().disabled_at = 0;
    done(true)
}

/// Somebody cancels a link in the dashboard.
async fn cancel(State(razorpay): State<Razorpay>, Path(id): Path<String>) -> Json<Value> {
    done(end(&razorpay, &id, "cancelled"))
}

async fn expire(State(razorpay): State<Razorpay>, Path(id): Path<String>) -> Json<Value> {
    done(end(&razorpay, &id, "expired"))
}

#[derive(Deserialize)]
struct WantedPayment {
    amount: Option<i64>,
    #[serde(default)]
    outcome: WantedOutcome,
    /// Also when the link is closed.
    #[serde(default)]
    late: bool,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WantedOutcome {
    #[default]
    Success,
    Failure,
    Unanswered,
}

async fn pay_link(
    State(razorpay): State<Razorpay>,
    Path(id): Path<String>,
    Json(wanted): Json<WantedPayment>,
) -> Json<Value> {
    let outcome = match wanted.outcome {
        WantedOutcome::Success => Outcome::Captured,
        WantedOutcome::Failure => Outcome::Failed,
        WantedOutcome::Unanswered => Outcome::Unanswered,
    };
    let tried = Try { outcome, amount: wanted.amount, vpa: None, late: wanted.late };
    match pay(&razorpay, |link| link.id == id, &tried) {
        Ok((_, payment)) => Json(json!({ "ok": true, "id": payment.id })),
        Err(why) => Json(json!({ "ok": false, "why": why })),
    }
}

/// Late authorisation: the bank has answered after all.
async fn arrive_late(State(razorpay): State<Razorpay>, Path(id): Path<String>) -> Json<Value> {
    done(arrive(&razorpay, &id))
}

async fn truth(State(razorpay): State<Razorpay>) -> Json<Value> {
    let state = razorpay.state();
    let refunded = |link: &Link| link.payments.iter().map(|payment| state.refunded(&payment.id)).sum::<i64>();
    let link = |link: &Link| {
        let payments: Vec<Value> =
            link.payments.iter().map(|payment| json!({ "id": payment.id, "status": payment.status })).collect();
        json!({ "id": link.id, "reference_id": link.reference_id, "status": link.status, "captured": link.paid(),
                "short_url": link.short_url(&state.base),
                "refunded": refunded(link), "payments": payments })
    };
    let links: Vec<Value> = state.links.iter().map(link).collect();
    let deliveries: Vec<Value> =
        state.deliveries.iter().map(|(event, status)| json!({ "event": event, "status": status })).collect();
    let refunds: Vec<Value> = state.refunds.iter().map(|refund| refund.entity("INR")).collect();
    Json(json!({ "links": links, "refunds": refunds, "deliveries": deliveries, "calls": state.calls,
                 "held": state.held.len(), "sent": state.sent, "webhook_disabled_at": state.disabled_at }))
}
