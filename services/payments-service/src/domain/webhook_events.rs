//! Webhooks: the signature over the raw bytes is verified, the event is stored and acknowledged, and applied after
//! that.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use kit::lifecycle::Shutdown;
use kit::{Code, Error};
use kit_pg::{Conn, Scope, TxError};
use ring::digest::{SHA256, digest};
use serde_json::Value;
use uuid::Uuid;

use super::status::Status;
use super::webhook_facts::{self, Names};
use super::{recording, settlement};
use crate::App;
use crate::store::webhook_events::{self, Event, NewEvent};
use crate::store::{facts, payments};

/// So many events are applied at a time; each may ask Razorpay two or three times.
const AT_ONCE: usize = 4;
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
    check_signature(app, body, signature)?;
    let row = row_of(app, body, event_id);
    let known = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            let known = webhook_events::insert(conn, &row).await?;
            app.crash.point("event_before_commit");
            Ok(known)
        })
        .await?;
    app.crash.point("event_stored");
    match known {
        None => {}
        Some(first) if first == row.body_hash => app.metrics.event("webhook_duplicate"),
        Some(_) => note_conflict(app, &row).await?,
    }
    app.arrived.notify_one();
    Ok(())
}

fn check_signature(app: &App, body: &[u8], signature: Option<&str>) -> Result<(), Error> {
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
    Ok(())
}

/// The row of a signed event. One of another account raises an alarm, and is kept apart.
fn row_of(app: &App, body: &[u8], event_id: Option<&str>) -> NewEvent {
    let hash = hex::encode(digest(&SHA256, body));
    // A signed body that cannot be parsed is stored as text: after refusals Razorpay would disable the webhook.
    let parsed: Option<Value> = serde_json::from_slice(body).ok().map(without_nul);
    let event =
        parsed.as_ref().and_then(|body| body.get("event")).and_then(Value::as_str).unwrap_or("unreadable").to_owned();
    let account = parsed.as_ref().and_then(|body| body.get("account_id")).and_then(Value::as_str);
    let stranger = app.account_id.as_deref().zip(account).is_some_and(|(own, account)| own != account);
    if stranger {
        app.metrics.event("webhook_other_account");
        tracing::error!(alarm = "webhook_other_account", "a signed event is of another account");
    }
    let wanted = webhook_facts::is_wanted(&event);
    let id = event_id.filter(|id| !id.is_empty() && id.len() <= 64).map_or_else(|| hash.clone(), str::to_owned);
    NewEvent {
        event_id: id,
        event: event.chars().take(100).collect(),
        body: parsed.unwrap_or_else(|| Value::String(String::from_utf8_lossy(body).replace('\u{0}', ""))),
        body_hash: hash,
        state: if stranger {
            "quarantined"
        } else if wanted {
            "pending"
        } else {
            "ignored"
        }
        .to_owned(),
    }
}

/// Writes down that the id of a stored event came again with another body.
async fn note_conflict(app: &App, row: &NewEvent) -> Result<(), Error> {
    app.metrics.event("webhook_conflict");
    tracing::error!(alarm = "webhook_conflict", event_id = row.event_id, "one event id came with two bodies");
    let note = "came again with another body";
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| webhook_events::note(conn, &row.event_id, note).await)
        .await
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
            let claimed = round(&app).await.unwrap_or_else(|error| {
                error.log();
                0
            });
            if claimed == 0 {
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
    if claimed > 0 {
        app.crash.point("events_claimed");
    }
    stream::iter(events).for_each_concurrent(AT_ONCE, |event| apply_and_record(app, event)).await;
    Ok(claimed)
}

/// Applies an event and writes down what came of it. One that cannot be applied now is tried again later.
async fn apply_and_record(app: &App, event: Event) {
    let outcome = apply(app, &event).await;
    let now = app.clock.now();
    let recorded = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| match &outcome {
            Ok((state, note)) => webhook_events::settle(conn, &event.event_id, state, note, now).await,
            Err(error) => webhook_events::postpone(conn, &event.event_id, event.attempts, &error.to_string()).await,
        })
        .await;
    for error in [outcome.err(), recorded.err()].into_iter().flatten() {
        error.log();
    }
}

/// Applies an event; returns its new state and a note.
async fn apply(app: &App, event: &Event) -> Result<(&'static str, &'static str), Error> {
    let names = webhook_facts::names(&event.body);
    let facts = webhook_facts::of(&event.event, &event.body);
    let cause = format!("webhook {} {}", event.event, event.event_id);
    let recorded = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| match find(conn, &names).await? {
            Some(id) => {
                let recorded = recording::record(conn, app, id, &facts, &cause).await?;
                app.crash.point("applying");
                Ok(Some(recorded))
            }
            None => Ok(None),
        })
        .await?;
    app.crash.point("applied");
    let Some(recorded) = recorded else { return Ok(("ignored", "no payment of ours")) };
    recorded.raise_alarms(app);
    app.wake.wake();
    let settled = matches!(recorded.row.status()?, Status::Activated | Status::Refunded);
    // Another payment of the same link may have to go back.
    let is_new = names.payment.as_ref().is_some_and(|id| !recorded.state.payments.contains_key(id));
    if !settled || is_new || webhook_facts::is_about_money_back(&event.event) {
        settlement::settle(app, recorded.row.id, &cause).await?;
    }
    Ok(("applied", ""))
}

/// The payment that an event is about.
async fn find(conn: &Conn, names: &Names) -> Result<Option<Uuid>, TxError> {
    let known = payments::find_by_gateway_ids(conn, names.link.as_deref(), names.order.as_deref()).await?;
    if known.is_some() {
        return Ok(known);
    }
    if let Some(payment) = &names.payment
        && let Some(id) = facts::named(conn, payment).await?
    {
        return Ok(Some(id));
    }
    // The answer to the link's creation was lost.
    match &names.reference {
        Some(reference) => payments::find_by_reference(conn, reference).await,
        None => Ok(None),
    }
}
