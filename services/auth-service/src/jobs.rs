//! Recurring work that the scheduler starts by name. Each is idempotent, takes no argument and reports counts.

use chrono::Duration;
use kit::Error;
use kit::ids::TenantId;
use kit_pg::{Conn, OLD_KEYS, Scope};
use outbox::{OLD_INBOX, OLD_OUTBOX};

use crate::App;
use crate::domain::identity::search_name;
use crate::store::{challenges, registrations, revocations, sessions, users};

/// Users whose search form is filled in one transaction.
const BATCH: i64 = 500;

/// Runs a job.
///
/// # Errors
/// `NotFound` when this service has no job with this name.
pub(crate) async fn run(app: &App, name: &str) -> Result<String, Error> {
    match name {
        "auth.purge" => purge(app).await,
        "auth.fill_names" => fill_names(app).await,
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

/// Fills the search form of names that a version without it has written: those of before, and those of a rollout.
async fn fill_names(app: &App) -> Result<String, Error> {
    let mut filled = 0;
    loop {
        let find = async |conn: &Conn| users::without_search_name(conn, BATCH).await;
        let batch = app.pg.read(Scope::Worker, find).await?;
        for user in &batch {
            let (realm, name) =
                (user.tenant_id.map(TenantId), search_name([&user.first_name, &user.last_name, &user.username]));
            app.pg
                .transaction(Scope::tenant_or_platform(realm), async |conn: &mut Conn| {
                    users::fill_search_name(conn, realm, user.id, &name).await
                })
                .await?;
        }
        filled += batch.len();
        if batch.is_empty() {
            return Ok(format!("{filled} names"));
        }
    }
}
