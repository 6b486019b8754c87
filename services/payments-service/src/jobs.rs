//! Recurring work that the scheduler starts by name. Each is idempotent, takes no argument and reports counts.

use chrono::Duration;
use kit::Error;
use kit_pg::{Conn, OLD_KEYS, Scope};
use outbox::{OLD_INBOX, OLD_OUTBOX};

use crate::App;
use crate::domain::settlement;
use crate::domain::states::State;
use crate::store::{payments, webhook_events};

/// The most payments that one run checks; each costs two or three calls to Razorpay.
const BATCH: i64 = 50;
/// The shortest time between two checks of a payment, in seconds.
const PAUSE_SECS: i64 = 20;

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

/// Asks Razorpay about payments that are not settled, because webhooks can get lost.
async fn poll_pending(app: &App) -> Result<String, Error> {
    let before = app.clock.now() - Duration::seconds(PAUSE_SECS);
    let failed_since = app.clock.now() - Duration::days(1);
    let due = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            payments::unsettled(conn, before, failed_since, BATCH).await
        })
        .await?;
    let (mut activated, mut failed, mut unanswered) = (0, 0, 0);
    for id in &due {
        match settlement::settle(app, *id, "poll").await {
            Ok(State::Activated) => activated += 1,
            Ok(State::Failed) => failed += 1,
            Ok(_) => {}
            Err(error) => {
                error.log();
                unanswered += 1;
            }
        }
    }
    Ok(format!("checked {}, activated {activated}, failed {failed}, unanswered {unanswered}", due.len()))
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
