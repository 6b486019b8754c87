//! Payment links.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Paging, over_quota, refused, unknown_id};
use super::chaos::Chaos;
use super::entities::Link;
use super::store::{Razorpay, new_id};
use super::webhooks;

/// The fields that Razorpay accepts when a link is created; any other is refused.
const FIELDS: [&str; 17] = [
    "amount",
    "currency",
    "accept_partial",
    "first_min_partial_amount",
    "upi_link",
    "description",
    "reference_id",
    "customer",
    "expire_by",
    "notify",
    "reminder_enable",
    "notes",
    "callback_url",
    "callback_method",
    "options",
    "whatsapp_link",
    "source",
];
/// The fields that may be changed later.
const CHANGEABLE: [&str; 5] = ["accept_partial", "reference_id", "expire_by", "notes", "reminder_enable"];
const QUARTER_HOUR: i64 = 900;
const HALF_YEAR: i64 = 15_811_200;

pub(super) fn router() -> Router<Razorpay> {
    Router::new()
        .route("/v1/payment_links", get(list).post(create))
        .route("/v1/payment_links/", get(list).post(create))
        .route("/v1/payment_links/{id}", get(fetch).patch(update))
        .route("/v1/payment_links/{id}/cancel", post(cancel))
        .route("/v1/payment_links/{id}/notify_by/{medium}", post(notify))
}

fn text(body: &Value, name: &str) -> String {
    body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn fault(body: &Value, now: i64, chaos: &Chaos) -> Option<&'static str> {
    let Some(object) = body.as_object() else { return Some("amount: cannot be blank.") };
    if object.keys().any(|key| !FIELDS.contains(&key.as_str())) {
        return Some("extra fields sent.");
    }
    match body.get("amount").map(Value::as_i64) {
        None => return Some("amount: cannot be blank."),
        Some(None) => {
            return Some("amount, should be a whole number for e.g. 2234 to create a payment link for INR 22.34.");
        }
        Some(Some(amount)) if amount < 100 => return Some("amount: amount should be minimum 100 for INR."),
        Some(Some(amount)) if chaos.max_amount.is_some_and(|most| amount > most) => {
            return Some("amount: amount exceeds maximum amount allowed.");
        }
        Some(Some(_)) => {}
    }
    if body.get("upi_link").and_then(Value::as_bool) == Some(true) && !chaos.upi_links {
        return Some("UPI Payment Links is not supported in Test Mode. Please experience the product in Live Mode.");
    }
    if let Some(first) = body.get("first_min_partial_amount").and_then(Value::as_i64) {
        if body.get("accept_partial").and_then(Value::as_bool) != Some(true) {
            return Some("extra fields sent.");
        }
        if first < 100 {
            return Some("first_min_partial_amount: amount should be minimum 100 for INR.");
        }
        if body.get("amount").and_then(Value::as_i64).is_some_and(|amount| first > amount) {
            return Some("first_min_partial_amount must be less than or equal to amount.");
        }
    }
    shared_fault(body, now)
}

/// What may be wrong with a new link and with a change of one.
fn shared_fault(body: &Value, now: i64) -> Option<&'static str> {
    if text(body, "reference_id").chars().count() > 40 {
        return Some("reference_id: the length must be no more than 40.");
    }
    match body.get("expire_by").map_or(Some(0), Value::as_i64) {
        None => return Some("incorrect JSON object received - faulty key: expire_by."),
        Some(0) => {}
        Some(at) if at < now + QUARTER_HOUR => {
            return Some("expire_by: timestamp must be atleast 15 minutes in future");
        }
        Some(at) if at > now + HALF_YEAR => return Some("expire_by: must be within 6 months"),
        Some(_) => {}
    }
    let long = |notes: &serde_json::Map<String, Value>| {
        notes.values().any(|value| value.as_str().is_some_and(|text| text.chars().count() > 255))
    };
    if body.get("notes").and_then(Value::as_object).is_some_and(long) {
        return Some("value: the length must not be greater than 255.");
    }
    let callback = text(body, "callback_url");
    if !callback.is_empty() && !callback.starts_with("http://") && !callback.starts_with("https://") {
        return Some("callback_url: URL should be sent in callback_url field.");
    }
    None
}

async fn create(State(razorpay): State<Razorpay>, Json(body): Json<Value>) -> Response {
    let now = razorpay.now();
    let mut state = razorpay.state();
    if let Some(description) = fault(&body, now, &state.chaos) {
        return refused(400, description);
    }
    let reference = text(&body, "reference_id");
    if !reference.is_empty() && state.links.iter().any(|link| link.reference_id == reference) {
        return refused(400, &existing(&reference, state.chaos.live_texts));
    }
    if state.chaos.link_quota.is_some_and(|quota| state.links.len() >= quota) {
        return over_quota();
    }
    let partial = body.get("accept_partial").and_then(Value::as_bool) == Some(true);
    let link = Link {
        id: new_id("plink_"),
        code: new_id(""),
        status: "created",
        amount: body.get("amount").and_then(Value::as_i64).unwrap_or(0),
        currency: Some(text(&body, "currency")).filter(|c| !c.is_empty()).unwrap_or_else(|| "INR".to_owned()),
        first_part: partial.then(|| body.get("first_min_partial_amount").and_then(Value::as_i64).unwrap_or(100)),
        reference_id: reference,
        description: text(&body, "description"),
        notes: body.get("notes").cloned().unwrap_or(Value::Null),
        expire_by: body.get("expire_by").and_then(Value::as_i64).unwrap_or(0),
        callback_url: text(&body, "callback_url"),
        upi_link: body.get("upi_link").and_then(Value::as_bool).unwrap_or(false),
        created_at: now,
        updated_at: now,
        cancelled_at: 0,
        expired_at: 0,
        order_id: None,
        payments: Vec::new(),
    };
    let entity = link.entity(&state.base);
    state.links.push(link);
    Json(entity).into_response()
}

/// The documentation and the live service say it differently.
fn existing(reference: &str, live: bool) -> String {
    if live {
        format!(
            "payment link with given reference_id: {reference} already exists. Please create a payment link with a different \
             reference_id"
        )
    } else {
        "payment link creation with reference ID already attempted".to_owned()
    }
}

#[derive(Deserialize)]
struct Filter {
    reference_id: Option<String>,
    payment_id: Option<String>,
}

async fn list(
    State(razorpay): State<Razorpay>,
    Query(filter): Query<Filter>,
    Query(paging): Query<Paging>,
) -> Response {
    let state = razorpay.state();
    let hidden = state.chaos.hide_links;
    let has = |link: &Link, id: &String| link.payments.iter().any(|payment| payment.id == *id);
    let wanted = |link: &&Link| {
        !hidden
            && filter.reference_id.as_ref().is_none_or(|reference| link.reference_id == *reference)
            && filter.payment_id.as_ref().is_none_or(|id| has(link, id))
    };
    let links = state.links.iter().filter(wanted).map(|link| (link.created_at, link.entity(&state.base))).collect();
    match paging.of(links) {
        Ok(links) => Json(json!({ "payment_links": links })).into_response(),
        Err(refusal) => refusal,
    }
}

async fn fetch(State(razorpay): State<Razorpay>, Path(id): Path<String>) -> Response {
    let state = razorpay.state();
    let link = state.links.iter().find(|link| link.id == id);
    link.map_or_else(unknown_id, |link| Json(link.entity(&state.base)).into_response())
}

async fn update(State(razorpay): State<Razorpay>, Path(id): Path<String>, Json(body): Json<Value>) -> Response {
    let now = razorpay.now();
    let unknown = body.as_object().is_none_or(|body| body.keys().any(|key| !CHANGEABLE.contains(&key.as_str())));
    if unknown {
        return refused(400, "extra fields sent.");
    }
    if let Some(description) = shared_fault(&body, now) {
        return refused(400, description);
    }
    let mut state = razorpay.state();
    let base = state.base.clone();
    let reference = text(&body, "reference_id");
    if !reference.is_empty() && state.links.iter().any(|link| link.reference_id == reference && link.id != id) {
        return refused(400, &existing(&reference, state.chaos.live_texts));
    }
    let Some(link) = state.links.iter_mut().find(|link| link.id == id) else { return unknown_id() };
    if !matches!(link.status, "created" | "partially_paid") {
        return refused(400, "update can only be made in created or partially paid state");
    }
    if !reference.is_empty() {
        link.reference_id = reference;
    }
    if let Some(at) = body.get("expire_by").and_then(Value::as_i64) {
        link.expire_by = at;
    }
    if let Some(notes) = body.get("notes") {
        link.notes = notes.clone();
    }
    link.updated_at = now;
    Json(link.entity(&base)).into_response()
}

async fn cancel(State(razorpay): State<Razorpay>, Path(id): Path<String>) -> Response {
    let known = razorpay.state().links.iter().find(|link| link.id == id).map(|link| link.status);
    match known {
        None => unknown_id(),
        Some("created") => {
            end(&razorpay, &id, "cancelled");
            fetch(State(razorpay), Path(id)).await
        }
        Some("paid" | "partially_paid") => {
            refused(400, "cannot cancel or expire an already paid / partially paid link")
        }
        Some("expired") => refused(400, "cannot cancel or expire an expired link"),
        Some(_) => refused(400, "cannot cancel or expire a cancelled link"),
    }
}

/// Cancels an open link or lets it expire, and tells about it; false when it is not open.
pub(super) fn end(razorpay: &Razorpay, id: &str, status: &'static str) -> bool {
    let now = razorpay.now();
    let entity = {
        let mut state = razorpay.state();
        let base = state.base.clone();
        let open = |link: &&mut Link| link.id == id && matches!(link.status, "created" | "partially_paid");
        let Some(link) = state.links.iter_mut().find(open) else { return false };
        (link.status, link.updated_at) = (status, now);
        if status == "cancelled" {
            link.cancelled_at = now;
        } else {
            link.expired_at = now;
        }
        (link.created_at, link.entity(&base))
    };
    let payload = json!({ "payment_link": { "entity": entity.1 } });
    webhooks::send_payload(razorpay, &format!("payment_link.{status}"), &payload, entity.0);
    true
}

async fn notify(State(razorpay): State<Razorpay>, Path((id, medium)): Path<(String, String)>) -> Response {
    if !matches!(medium.as_str(), "sms" | "email") {
        return refused(400, "not a valid notification medium");
    }
    if razorpay.state().links.iter().all(|link| link.id != id) {
        return unknown_id();
    }
    Json(json!({ "success": true })).into_response()
}
