//! Recurring work that the scheduler starts by name. Each is idempotent, takes no argument and reports counts.

use chrono::Duration;
use kit::Error;
use kit_pg::{Conn, OLD_KEYS, Scope};
use outbox::{OLD_INBOX, OLD_OUTBOX};

use crate::App;
use crate::store::link_changes;

/// Runs a job.
///
/// # Errors
/// `NotFound` when this service has no job with this name.
pub(crate) async fn run(app: &App, name: &str) -> Result<String, Error> {
    match name {
        "songlist.purge" => purge(app).await,
        "songlist.count_out_deleted" => count_out_deleted(app).await,
        _ => Err(Error::not_found()),
    }
}

/// Takes songs that were deleted some minutes ago out of the stored counts of lists. Until then each count is read with what
/// is to be subtracted. By that time no transaction is left that has seen the song live and links it.
async fn count_out_deleted(app: &App) -> Result<String, Error> {
    const BATCH: i64 = 200;
    let before = app.clock.now() - Duration::minutes(5);
    let mut songs = 0;
    loop {
        let out = async |conn: &mut Conn| link_changes::count_out(conn, before, BATCH).await;
        let counted = app.pg.transaction(Scope::Worker, out).await?;
        songs += counted;
        if i64::try_from(counted).is_ok_and(|counted| counted < BATCH) {
            return Ok(format!("counted out {songs}"));
        }
    }
}

/// Deletes rows that are no longer needed.
async fn purge(app: &App) -> Result<String, Error> {
    let ages = [(OLD_KEYS, Duration::hours(24)), (OLD_OUTBOX, Duration::days(7)), (OLD_INBOX, Duration::days(30))];
    kit_pg::purge(&app.pg, &ages, app.clock.now()).await
}
