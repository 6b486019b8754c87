//! Mails that were not sent yet, for operators.

use kit::Error;
use kit_pg::{Conn, Scope};
pub use outbox::Waiting;
use uuid::Uuid;

use crate::App;
use crate::delivery::MAIL;

/// The most mails that are listed.
const MAX_LISTED: i64 = 1_000;

/// The mails that wait or were given up, the oldest first.
///
/// # Errors
/// When the database cannot be reached.
pub async fn list(app: &App) -> Result<Vec<Waiting>, Error> {
    app.pg.read(Scope::Worker, async |conn: &Conn| outbox::list(conn, MAIL, MAX_LISTED).await).await
}

/// Tries a mail again at once, or every mail without an id; returns how many.
///
/// # Errors
/// When the database cannot be reached.
pub async fn retry(app: &App, id: Option<Uuid>) -> Result<usize, Error> {
    app.pg.transaction(Scope::Worker, async |conn: &mut Conn| outbox::retry(conn, MAIL, id).await).await
}
