//! Messages that wait for another attempt or were given up, for operators.

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit_pg::{Conn, TxError};
use uuid::Uuid;

use crate::schema::outbox;

/// A message that was not delivered yet.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = outbox)]
pub struct Waiting {
    pub id: Uuid,
    pub topic: String,
    pub tenant_id: Option<Uuid>,
    pub aggregate_id: Uuid,
    /// `pending`, or `dead` when it was given up.
    pub state: String,
    pub attempts: i32,
    pub next_attempt_at: DateTime<Utc>,
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// The messages of these topics that are not delivered yet, the oldest first; in the worker's scope.
///
/// # Errors
/// When the database cannot be reached.
pub async fn list(mut conn: &Conn, topics: &[&str], most: i64) -> Result<Vec<Waiting>, TxError> {
    Ok(outbox::table
        .filter(outbox::topic.eq_any(topics))
        .filter(outbox::state.ne("sent"))
        .order((outbox::created_at, outbox::id))
        .limit(most)
        .select(Waiting::as_select())
        .load(&mut conn)
        .await?)
}

/// Lets a message (all of these topics without an id) be tried again at once, also one that was given up; returns how
/// many. One that is being delivered right now is left alone.
///
/// # Errors
/// When the database cannot be reached.
pub async fn retry(conn: &mut Conn, topics: &[&str], id: Option<Uuid>) -> Result<usize, TxError> {
    let failed = outbox::table
        .filter(outbox::topic.eq_any(topics))
        .filter(outbox::state.ne("sent"))
        .filter(outbox::last_error.is_not_null())
        .select(outbox::id);
    let ids: Vec<Uuid> = match id {
        Some(id) => failed.filter(outbox::id.eq(id)).for_update().load(conn).await?,
        None => failed.for_update().load(conn).await?,
    };
    Ok(diesel::update(outbox::table.filter(outbox::id.eq_any(ids)))
        .set((outbox::state.eq("pending"), outbox::attempts.eq(1), outbox::next_attempt_at.eq(now)))
        .execute(conn)
        .await?)
}
