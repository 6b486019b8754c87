//! Webhooks: the signature over the raw bytes is verified, the event is stored and acknowledged, and applied after
//! that.

use std::time::Duration;

use kit::lifecycle::Shutdown;
use kit::{Code, Error};
use kit_pg::{Conn, Scope};
use ring::digest::{SHA256, digest};
use serde_json::Value;

use super::settlement;
use super::states::{self, State};
use crate::App;
use crate::store::payments;
use crate::store::webhook_events::{self, Event, NewEvent};

/// Events that report a payment; for one paid link three of them are sent, each with its own id.
const PAID: [&str; 3] = ["payment_link.paid", "order.paid", "payment.captured"];
/// Other events after which Razorpay is asked about the link.
const LOOKED_AT: [&str; 4] =
    ["payment_link.expired", "payment_link.cancelled", "payment_link.partially_paid", "payment.authorized"];
/// How often stored events are read without a wake-up.
const POLL: Duration = Duration::from_millis(500);

/// Receives an event; it is acknowledged with a 2xx only after it was stored.
///
/// # Errors
/// `missing_signature` (400), `invalid_signature` (401); `Unavailable` when it cannot be stored.
pub(crate) async fn receive(
    app: &App,
    body: &[u8],
    signature: Option<&str>,
    event_id: Option<&str>,
) -> Result<(), Error> {
    let Some(signature) = signature.filter(|signature| !signature.is_empty()) else {
        app.metrics.event("webhook_unsigned");
        return Err(Error::new(Code::MissingSignature));
    };
    match app.razorpay.signed_webhook(body, signature) {
        None => {
            app.metrics.event("webhook_wrong_signature");
            return Err(Error::new(Code::InvalidSignature));
        }
        Some(0) => {}
        Some(_) => app.metrics.event("webhook_old_secret"),
    }
    let hash = hex::encode(digest(&SHA256, body));
    // A signed body that cannot be parsed is stored as text: after refusals Razorpay would disable the webhook.
    let parsed: Option<Value> = serde_json::from_slice(body).ok().map(without_nul);
    let event =
        parsed.as_ref().and_then(|body| body.get("event")).and_then(Value::as_str).unwrap_or("unreadable").to_owned();
    let wanted = PAID.contains(&event.as_str()) || LOOKED_AT.contains(&event.as_str());
    let id = event_id.filter(|id| !id.is_empty() && id.len() <= 64).map_or_else(|| hash.clone(), str::to_owned);
    let row = NewEvent {
        event_id: id,
        event: event.chars().take(100).collect(),
        body: parsed.unwrap_or_else(|| Value::String(String::from_utf8_lossy(body).replace('\u{0}', ""))),
        body_hash: hash,
        state: if wanted { "pending" } else { "ignored" }.to_owned(),
    };
    let known =
        app.pg.transaction(Scope::Worker, async |conn: &mut Conn| webhook_events::insert(conn, &row).await).await?;
    if let Some(first) = known {
        app.metrics.event(if first == row.body_hash { "webhook_duplicate" } else { "webhook_conflict" });
        if first != row.body_hash {
            tracing::error!(alarm = "webhook_conflict", event_id = row.event_id, "one event id came with two bodies");
        }
    }
    app.arrived.notify_one();
    Ok(())
}

/// The same JSON without NUL characters in texts, which Postgres cannot store. JSON is nested at most 128 times here.
fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\u{0}', "")),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nul).collect()),
        Value::Object(members) => Value::Object(
            members.into_iter().map(|(key, value)| (key.replace('\u{0}', ""), without_nul(value))).collect(),
        ),
        other => other,
    }
}

/// Applies stored events in the background, also those that were left by a crash.
pub(crate) fn keep_applying(app: &App, shutdown: &Shutdown) {
    let app = app.clone();
    shutdown.every("webhooks", Duration::ZERO, move || {
        let app = app.clone();
        async move {
            if round(&app).await.unwrap_or(0) == 0 {
                tokio::select! {
                    () = app.arrived.notified() => {}
                    () = tokio::time::sleep(POLL) => {}
                }
            }
        }
    });
}

async fn round(app: &App) -> Result<usize, Error> {
    let events = app.pg.transaction(Scope::Worker, async |conn: &mut Conn| webhook_events::claim(conn).await).await?;
    let claimed = events.len();
    for event in events {
        let outcome = apply(app, &event).await;
        let now = app.clock.now();
        app.pg
            .transaction(Scope::Worker, async |conn: &mut Conn| match &outcome {
                Ok((state, note)) => webhook_events::settle(conn, &event.event_id, state, note, now).await,
                Err(error) => webhook_events::postpone(conn, &event.event_id, event.attempts, &error.to_string()).await,
            })
            .await?;
    }
    Ok(claimed)
}

/// Applies an event; returns its new state and a note.
async fn apply(app: &App, event: &Event) -> Result<(&'static str, &'static str), Error> {
    let (link, order) = names(&event.body);
    let found = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            payments::find_by_gateway_ids(conn, link.as_deref(), order.as_deref()).await
        })
        .await?;
    let Some(id) = found else { return Ok(("ignored", "no payment of ours")) };
    let cause = format!("webhook {} {}", event.event, event.event_id);
    if PAID.contains(&event.event.as_str()) {
        let now = app.clock.now();
        app.pg
            .transaction(Scope::Worker, async |conn: &mut Conn| {
                let mut row = payments::find_for_update(conn, id).await?;
                states::advance(conn, &mut row, State::Paid, &cause, now).await
            })
            .await?;
    }
    settlement::settle(app, id, &cause).await?;
    Ok(("applied", ""))
}

/// The ids of the link and the order that an event is about. Events `payment.*` contain no link id; their description
/// is `#` and the link's id without its prefix.
fn names(body: &Value) -> (Option<String>, Option<String>) {
    let text = |pointer: &str| {
        body.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let described =
        text("/payload/payment/entity/description").and_then(|d| Some(format!("plink_{}", d.strip_prefix('#')?)));
    let link = text("/payload/payment_link/entity/id").or(described);
    let order = text("/payload/order/entity/id")
        .or_else(|| text("/payload/payment/entity/order_id"))
        .or_else(|| text("/payload/payment_link/entity/order_id"));
    (link, order.map(|id| if id.starts_with("order_") { id } else { format!("order_{id}") }))
}
