//! Recurring work that the scheduler starts by name. Each is idempotent, takes no argument and reports counts.

use chrono::Duration;
use kit::Error;
use kit_pg::{Conn, OLD_KEYS, Scope};
use outbox::{OLD_INBOX, OLD_OUTBOX};

use crate::App;
use crate::domain::settlement;
use crate::domain::states::State;
use crate::store::{payments, webhook_events};

/// Payments looked at in one run; each costs two or three calls to Razorpay.
const BATCH: i64 = 50;
/// A payment is not looked at more often.
const PAUSE_SECS: i64 = 20;

/// Runs a job.
///
/// # Errors
/// `NotFound` for a name this service does not have.
pub(crate) async fn run(app: &App, name: &str) -> Result<String, Error> {
    match name {
        "payments.poll_pending" => poll_pending(app).await,
        "payments.purge" => purge(app).await,
        _ => Err(Error::not_found()),
    }
}

/// Asks Razorpay about every payment that is not settled: webhooks get lost.
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

/// Forgets what nobody can use any more. Events are kept for 60 days: support replays them after up to 15.
async fn purge(app: &App) -> Result<String, Error> {
    let ages = [
        (webhook_events::OLD, Duration::days(60)),
        (OLD_KEYS, Duration::hours(24)),
        (OLD_OUTBOX, Duration::days(7)),
        (OLD_INBOX, Duration::days(30)),
    ];
    kit_pg::purge(&app.pg, &ages, app.clock.now()).await
}
