//! Recurring work that the scheduler starts by name. Each is idempotent, takes no argument and reports counts.

use std::pin::pin;

use chrono::Duration;
use futures_util::{StreamExt, stream};
use kit::Error;
use kit_pg::{Conn, OLD_KEYS, Scope};
use outbox::{OLD_INBOX, OLD_OUTBOX};

use crate::App;
use crate::domain::settlement;
use crate::domain::status::Status;
use crate::store::{payments, webhook_events};

/// The most payments that one run checks; each costs two or three calls to Razorpay.
const BATCH: i64 = 100;
/// So many of them at a time.
const AT_ONCE: usize = 4;
/// A run ends after this time, before the scheduler gives it up; what is left is due in the next one.
const BUDGET: std::time::Duration = std::time::Duration::from_secs(40);

/// Runs a job.
///
/// # Errors
/// `NotFound` when this service has no job with this name.
pub(crate) async fn run(app: &App, name: &str) -> Result<String, Error> {
    match name {
        "payments.poll_pending" => poll_pending(app).await,
        "payments.purge" => purge(app).await,
        _ => Err(Error::not_found()),
    }
}

/// Asks Razorpay about payments about which there may be something to learn, because webhooks can get lost.
async fn poll_pending(app: &App) -> Result<String, Error> {
    let now = app.clock.now();
    let due = app.pg.transaction(Scope::Worker, async |conn: &mut Conn| payments::due(conn, now, BATCH).await).await?;
    let count = due.len();
    let asked = stream::iter(due).map(|id| settlement::settle_if_due(app, id, "poll"));
    let (mut activated, mut failed, mut unanswered) = (0, 0, 0);
    let mut answers = pin!(asked.buffer_unordered(AT_ONCE).take_until(tokio::time::sleep(BUDGET)));
    // While Razorpay is not asked at all, the rest stays due.
    while !app.razorpay.is_paused() {
        match answers.next().await {
            None => break,
            Some(Ok(Some(Status::Activated))) => activated += 1,
            Some(Ok(Some(Status::Failed))) => failed += 1,
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                error.log();
                unanswered += 1;
            }
        }
    }
    let missing = webhooks_missing(app).await.unwrap_or_else(|error| {
        error.log();
        false
    });
    let missing = if missing { ", no webhooks" } else { "" };
    Ok(format!("due {count}, activated {activated}, failed {failed}, unanswered {unanswered}{missing}"))
}

/// True when money has arrived a while ago and no event at all has come since shortly before: Razorpay disables a webhook that it
/// could not deliver to for a day, and a person must enable it again in its dashboard. It is told until an event arrives.
async fn webhooks_missing(app: &App) -> Result<bool, Error> {
    let now = app.clock.now();
    // Events are kept for longer than this.
    let (since, until) = (now - Duration::days(30), now - Duration::minutes(5));
    let missing = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            let paid = payments::last_paid(conn, since, until).await?;
            let event = webhook_events::last_received(conn).await?;
            Ok(paid.is_some_and(|at| event.is_none_or(|event| event < at - Duration::minutes(10))))
        })
        .await?;
    if missing {
        app.metrics.event("webhooks_missing");
        tracing::error!(
            alarm = "webhooks_missing",
            "money arrives and no webhook does: look at the webhook in Razorpay's dashboard"
        );
    }
    Ok(missing)
}

/// Deletes rows that are no longer needed. Events are kept for 60 days, because Razorpay's support may replay them for
/// 15 days.
async fn purge(app: &App) -> Result<String, Error> {
    let ages = [
        (webhook_events::OLD, Duration::days(60)),
        (OLD_KEYS, Duration::hours(24)),
        (OLD_OUTBOX, Duration::days(7)),
        (OLD_INBOX, Duration::days(30)),
    ];
    kit_pg::purge(&app.pg, &ages, app.clock.now()).await
}
