//! Recurring work that the scheduler asks for, by name. Each is idempotent, takes no argument and reports counts.

use chrono::Duration;
use kit::Error;
use kit_pg::{Conn, IdempotencyKey, Scope};

use crate::App;

/// Runs a job.
///
/// # Errors
/// `NotFound` for a name this service does not have.
pub(crate) async fn run(app: &App, name: &str) -> Result<String, Error> {
    match name {
        "songlist.purge" => purge(app).await,
        _ => Err(Error::not_found()),
    }
}

/// Forgets what nobody can use any more.
async fn purge(app: &App) -> Result<String, Error> {
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            let keys = IdempotencyKey::purge(conn, now - Duration::hours(24)).await?;
            let messages = outbox::purge(conn, now - Duration::days(7)).await?;
            let seen = outbox::purge_inbox(conn, now - Duration::days(30)).await?;
            Ok(format!("idempotency keys {keys}, messages {messages}, inbox {seen}"))
        })
        .await
}
