//! The control API for tests: it plans failures, and shows links and deliveries as they really are.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::refunds;
use super::store::{Failure, Link, Razorpay};

pub(super) fn router() -> Router<Razorpay> {
    Router::new()
        .route("/sandbox/chaos", post(set_chaos))
        .route("/sandbox/truth", get(truth))
        .route("/sandbox/links/{id}/cancel", post(cancel))
        .merge(refunds::control())
}

/// What a test wants to go wrong; fields that are left out do not change.
#[derive(Deserialize)]
struct Wanted {
    drop_webhooks: Option<bool>,
    duplicates: Option<u32>,
    refunds_stay_pending: Option<bool>,
    hide_links: Option<bool>,
    skew_secs: Option<i64>,
    failures: Option<Vec<WantedFailure>>,
}

#[derive(Deserialize)]
struct WantedFailure {
    status: u16,
    #[serde(default)]
    commit: bool,
    #[serde(default)]
    path: String,
    retry_after: Option<u64>,
    code: Option<String>,
}

async fn set_chaos(State(razorpay): State<Razorpay>, Json(wanted): Json<Wanted>) -> Json<Value> {
    let mut state = razorpay.state();
    if let Some(drop) = wanted.drop_webhooks {
        state.chaos.drop_webhooks = drop;
    }
    if let Some(duplicates) = wanted.duplicates {
        state.chaos.duplicates = duplicates;
    }
    if let Some(pending) = wanted.refunds_stay_pending {
        state.chaos.refunds_stay_pending = pending;
    }
    if let Some(skew) = wanted.skew_secs {
        state.chaos.skew_secs = skew;
    }
    if let Some(hide) = wanted.hide_links {
        state.chaos.hide_links = hide;
    }
    if let Some(failures) = wanted.failures {
        state.chaos.failures = failures
            .into_iter()
            .map(|f| Failure {
                status: f.status,
                commit: f.commit,
                path: f.path,
                retry_after: f.retry_after,
                code: f.code,
            })
            .collect();
    }
    Json(json!({ "ok": true }))
}

/// Somebody cancels a link in the dashboard.
async fn cancel(State(razorpay): State<Razorpay>, Path(id): Path<String>) -> Json<Value> {
    let mut state = razorpay.state();
    let open = state.links.iter_mut().find(|link| link.id == id && link.status == "created");
    let cancelled = open.map(|link| link.status = "cancelled").is_some();
    Json(json!({ "ok": cancelled }))
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
    Json(json!({ "links": links, "refunds": refunds, "deliveries": deliveries, "calls": state.calls }))
}
