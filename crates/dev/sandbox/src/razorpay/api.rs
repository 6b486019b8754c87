use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::store::{Failure, Link, Razorpay, new_id};

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
const QUARTER_HOUR: i64 = 900;
const HALF_YEAR: i64 = 15_811_200;

/// The API, with what other files add to it.
pub(super) fn router(more: Router<Razorpay>) -> Router<Razorpay> {
    Router::new()
        .route("/v1/payment_links", get(list).post(create))
        .route("/v1/payment_links/{id}", get(fetch))
        .route("/v1/payment_links/{id}/cancel", post(cancel))
        .route("/v1/orders/{id}", get(order))
        .route("/v1/orders/{id}/payments", get(payments_of_order))
        .route("/v1/payments/{id}", get(payment))
        .merge(more)
        .layer(from_fn(basic_auth_present))
}

pub(super) fn refused(status: u16, description: &str) -> Response {
    coded(status, "BAD_REQUEST_ERROR", description)
}

/// An error as the payment-links service writes it: `metadata` is an array there.
fn coded(status: u16, code: &str, description: &str) -> Response {
    let body = json!({ "error": { "code": code, "description": description, "metadata": [], "reason": null, "source": null,
                                  "step": null } });
    (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), Json(body)).into_response()
}

/// Who asks, and for what.
#[derive(Clone)]
pub(super) struct Credentials {
    pair: String,
    /// Method and path.
    request: String,
}

/// Reads the credentials; the scheme word must be exactly `Basic`.
async fn basic_auth_present(mut request: Request, next: Next) -> Response {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let decoded = header
        .strip_prefix("Basic ")
        .and_then(|text| STANDARD.decode(text).ok())
        .and_then(|b| String::from_utf8(b).ok());
    match decoded {
        Some(pair) => {
            let asked = format!("{} {}", request.method(), request.uri().path());
            request.extensions_mut().insert(Credentials { pair, request: asked });
            next.run(request).await
        }
        None => refused(401, "Authentication failed"),
    }
}

/// Refuses wrong keys, then answers with the next planned failure. In `Ok(Some(_))` the request takes effect all the
/// same.
#[expect(clippy::result_large_err, reason = "a refusal is the answer itself")]
pub(super) fn gate(razorpay: &Razorpay, credentials: &Credentials) -> Result<Option<Response>, Response> {
    let expected = format!("{}:{}", razorpay.options.key_id, razorpay.options.key_secret);
    if credentials.pair != expected || !razorpay.options.key_id.starts_with("rzp_test_") {
        return Err(refused(401, "The api key provided is invalid"));
    }
    razorpay.expire();
    let mut state = razorpay.state();
    state.calls += 1;
    let planned = state.chaos.failures.iter().position(|failure| credentials.request.contains(&failure.path));
    match planned.and_then(|place| state.chaos.failures.remove(place)) {
        None => Ok(None),
        Some(failure) if failure.commit => Ok(Some(planned_answer(&failure))),
        Some(failure) => Err(planned_answer(&failure)),
    }
}

fn planned_answer(failure: &Failure) -> Response {
    let usual = if failure.status >= 500 { "SERVER_ERROR" } else { "BAD_REQUEST_ERROR" };
    let code = failure.code.as_deref().unwrap_or(usual);
    let mut answer = coded(failure.status, code, "Something went wrong");
    if let Some(seconds) = failure.retry_after {
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

fn fault(body: &Value, now: i64) -> Option<String> {
    let Some(object) = body.as_object() else { return Some("amount: cannot be blank.".to_owned()) };
    if object.keys().any(|key| !FIELDS.contains(&key.as_str())) {
        return Some("extra fields sent.".to_owned());
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    match body.get("amount").map(Value::as_i64) {
        None => return Some("amount: cannot be blank.".to_owned()),
        Some(None) => {
            return Some(
                "amount, should be a whole number for e.g. 2234 to create a payment link for INR 22.34.".to_owned(),
            );
        }
        Some(Some(amount)) if amount < 100 => return Some("amount: amount should be minimum 100 for INR.".to_owned()),
        Some(Some(_)) => {}
    }
    if text("reference_id").chars().count() > 40 {
        return Some("reference_id: the length must be no more than 40.".to_owned());
    }
    let expire_by = body.get("expire_by").map_or(Some(0), Value::as_i64);
    match expire_by {
        None => return Some("incorrect JSON object received - faulty key: expire_by.".to_owned()),
        Some(0) => {}
        Some(at) if at < now + QUARTER_HOUR => {
            return Some("expire_by: timestamp must be atleast 15 minutes in future".to_owned());
        }
        Some(at) if at > now + HALF_YEAR => return Some("expire_by: must be within 6 months".to_owned()),
        Some(_) => {}
    }
    let callback = text("callback_url");
    if !callback.is_empty() && !callback.starts_with("http://") && !callback.starts_with("https://") {
        return Some("callback_url: URL should be sent in callback_url field.".to_owned());
    }
    None
}

async fn create(
    State(razorpay): State<Razorpay>,
    Extension(credentials): Extension<Credentials>,
    Json(body): Json<Value>,
) -> Response {
    let lost = match gate(&razorpay, &credentials) {
        Ok(lost) => lost,
        Err(refusal) => return refusal,
    };
    let now = razorpay.now();
    if let Some(description) = fault(&body, now) {
        return refused(400, &description);
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let reference = text("reference_id");
    let mut state = razorpay.state();
    if !reference.is_empty() && state.links.iter().any(|link| link.reference_id == reference) {
        return refused(400, "payment link creation with reference ID already attempted");
    }
    let link = Link {
        id: new_id("plink_"),
        code: new_id(""),
        status: "created",
        amount: body.get("amount").and_then(Value::as_i64).unwrap_or(0),
        currency: Some(text("currency")).filter(|c| !c.is_empty()).unwrap_or_else(|| "INR".to_owned()),
        reference_id: reference,
        description: text("description"),
        expire_by: body.get("expire_by").and_then(Value::as_i64).unwrap_or(0),
        callback_url: text("callback_url"),
        created_at: now,
        order_id: None,
        payments: Vec::new(),
    };
    let entity = link.entity(&state.base);
    state.links.push(link);
    lost.unwrap_or_else(|| Json(entity).into_response())
}

#[derive(Deserialize)]
struct Filter {
    reference_id: Option<String>,
}

async fn list(
    State(razorpay): State<Razorpay>,
    Extension(credentials): Extension<Credentials>,
    Query(filter): Query<Filter>,
) -> Response {
    if let Some(refusal) = gate(&razorpay, &credentials).unwrap_or_else(Some) {
        return refusal;
    }
    let state = razorpay.state();
    let hidden = state.chaos.hide_links;
    let wanted =
        |link: &&Link| !hidden && filter.reference_id.as_ref().is_none_or(|reference| link.reference_id == *reference);
    let links: Vec<Value> = state.links.iter().filter(wanted).map(|link| link.entity(&state.base)).collect();
    Json(json!({ "payment_links": links })).into_response()
}

/// One entity, or Razorpay's 400 for an unknown id.
fn found(razorpay: &Razorpay, credentials: &Credentials, entity: impl Fn(&Link, &str) -> Option<Value>) -> Response {
    if let Some(refusal) = gate(razorpay, credentials).unwrap_or_else(Some) {
        return refusal;
    }
    let state = razorpay.state();
    match state.links.iter().find_map(|link| entity(link, &state.base)) {
        Some(entity) => Json(entity).into_response(),
        None => refused(400, "The id provided does not exist"),
    }
}

async fn fetch(State(r): State<Razorpay>, Extension(c): Extension<Credentials>, Path(id): Path<String>) -> Response {
    found(&r, &c, |link, base| (link.id == id).then(|| link.entity(base)))
}

async fn order(State(r): State<Razorpay>, Extension(c): Extension<Credentials>, Path(id): Path<String>) -> Response {
    found(&r, &c, |link, _| (link.order_id.as_ref() == Some(&id)).then(|| link.order()))
}

async fn payments_of_order(
    State(r): State<Razorpay>,
    Extension(c): Extension<Credentials>,
    Path(id): Path<String>,
) -> Response {
    let refunds = r.state().refunds.clone();
    found(&r, &c, |link, _| {
        (link.order_id.as_ref() == Some(&id)).then(|| {
            let items: Vec<Value> = link.payments.iter().map(|payment| link.payment(payment, &refunds)).collect();
            json!({ "entity": "collection", "count": items.len(), "items": items })
        })
    })
}

async fn payment(State(r): State<Razorpay>, Extension(c): Extension<Credentials>, Path(id): Path<String>) -> Response {
    let refunds = r.state().refunds.clone();
    found(&r, &c, |link, _| {
        link.payments.iter().find(|payment| payment.id == id).map(|payment| link.payment(payment, &refunds))
    })
}

async fn cancel(
    State(razorpay): State<Razorpay>,
    Extension(credentials): Extension<Credentials>,
    Path(id): Path<String>,
) -> Response {
    if let Some(refusal) = gate(&razorpay, &credentials).unwrap_or_else(Some) {
        return refusal;
    }
    let mut state = razorpay.state();
    let base = state.base.clone();
    let Some(link) = state.links.iter_mut().find(|link| link.id == id) else {
        return refused(400, "The id provided does not exist");
    };
    match link.status {
        "created" => {
            link.status = "cancelled";
            Json(link.entity(&base)).into_response()
        }
        "paid" => refused(400, "cannot cancel or expire an already paid / partially paid link"),
        "expired" => refused(400, "cannot cancel or expire an expired link"),
        _ => refused(400, "cannot cancel or expire a cancelled link"),
    }
}
