//! Recurring work that the scheduler starts by name. Each is idempotent, takes no argument and reports counts.

use chrono::Duration;
use kit::Error;
use kit_pg::OLD_KEYS;
use outbox::{OLD_INBOX, OLD_OUTBOX};

use crate::App;
use crate::store::{challenges, registrations, revocations, sessions};

/// Runs a job.
///
/// # Errors
/// `NotFound` when this service has no job with this name.
pub(crate) async fn run(app: &App, name: &str) -> Result<String, Error> {
    match name {
        "auth.purge" => purge(app).await,
        _ => Err(Error::not_found()),
    }
}

/// Deletes rows that are no longer needed.
async fn purge(app: &App) -> Result<String, Error> {
    let ages = [
        (challenges::OLD, Duration::days(2)),
        (challenges::OLD_GUESSES, Duration::days(2)),
        (registrations::OLD, Duration::days(2)),
        (sessions::OLD, Duration::days(30)),
        (revocations::OLD, Duration::days(1)),
        (OLD_KEYS, Duration::hours(24)),
        (OLD_OUTBOX, Duration::days(7)),
        (OLD_INBOX, Duration::days(30)),
    ];
    kit_pg::purge(&app.pg, &ages, app.clock.now()).await
}
