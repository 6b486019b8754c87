//! The control API for tests: it plans failures, and shows links and deliveries as they really are.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::store::{Failure, Razorpay};

pub(super) fn router() -> Router<Razorpay> {
    Router::new().route("/sandbox/chaos", post(set_chaos)).route("/sandbox/truth", get(truth))
}

/// What a test wants to go wrong; fields that are left out do not change.
#[derive(Deserialize)]
struct Wanted {
    drop_webhooks: Option<bool>,
    duplicates: Option<u32>,
    failures: Option<Vec<WantedFailure>>,
}

#[derive(Deserialize)]
struct WantedFailure {
    status: u16,
    #[serde(default)]
    commit: bool,
}

async fn set_chaos(State(razorpay): State<Razorpay>, Json(wanted): Json<Wanted>) -> Json<Value> {
    let mut state = razorpay.state();
    if let Some(drop) = wanted.drop_webhooks {
        state.chaos.drop_webhooks = drop;
    }
    if let Some(duplicates) = wanted.duplicates {
        state.chaos.duplicates = duplicates;
    }
    if let Some(failures) = wanted.failures {
        state.chaos.failures = failures.into_iter().map(|f| Failure { status: f.status, commit: f.commit }).collect();
    }
    Json(json!({ "ok": true }))
}

async fn truth(State(razorpay): State<Razorpay>) -> Json<Value> {
    let state = razorpay.state();
    let links: Vec<Value> = state
        .links
        .iter()
        .map(|link| json!({ "id": link.id, "reference_id": link.reference_id, "status": link.status, "captured": link.paid() }))
        .collect();
    let deliveries: Vec<Value> =
        state.deliveries.iter().map(|(event, status)| json!({ "event": event, "status": status })).collect();
    Json(json!({ "links": links, "deliveries": deliveries }))
}
