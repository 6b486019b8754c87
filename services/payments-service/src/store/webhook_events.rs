use chrono::{DateTime, Utc};
use diesel::dsl::{now, sql};
use diesel::expression::{SqlLiteral, UncheckedBind};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::RunQueryDsl;
use kit_pg::{Conn, OldRows, TxError};
use serde_json::Value;

use crate::schema::webhook_events;

/// The most events that are claimed at once.
const BATCH: i64 = 16;
/// A claimed event whose result was not recorded within this time is claimed again: its worker has crashed.
const VISIBILITY_MS: i64 = 90_000;

/// Events by age, except those that are not applied yet.
pub(crate) const OLD: OldRows =
    OldRows { table: "webhook_events", condition: "received_at < $1 AND state <> 'pending'" };

/// An event to be applied.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = webhook_events)]
pub(crate) struct Event {
    pub event_id: String,
    pub event: String,
    pub body: Value,
    pub attempts: i32,
}

/// A webhook that was not simply applied.
#[derive(Clone, Debug)]
pub struct WaitingEvent {
    pub event_id: String,
    pub event: String,
    /// `pending`, `quarantined`, or another with a note.
    pub state: String,
    pub note: String,
    pub attempts: i32,
    pub received_at: DateTime<Utc>,
}

/// An event that has just been received.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = webhook_events)]
pub(crate) struct NewEvent {
    pub event_id: String,
    pub event: String,
    pub body: Value,
    pub body_hash: String,
    pub state: String,
}

/// Stores an event. When its id or its body is known already, it returns the hash of the first body with this id: the id stands in
/// a header that nobody has signed, so the same body under another id is the same event.
pub(crate) async fn insert(conn: &mut Conn, row: &NewEvent) -> Result<Option<String>, TxError> {
    let same_body = webhook_events::table.filter(webhook_events::body_hash.eq(&row.body_hash));
    let known: Option<String> = same_body.select(webhook_events::event_id).first(conn).await.optional()?;
    let inserted = match &known {
        Some(_) => 0,
        None => diesel::insert_into(webhook_events::table).values(row).on_conflict_do_nothing().execute(conn).await?,
    };
    if inserted == 1 {
        return Ok(None);
    }
    let id = known.unwrap_or_else(|| row.event_id.clone());
    Ok(Some(
        diesel::update(webhook_events::table.find(id))
            .set(webhook_events::deliveries.eq(webhook_events::deliveries + 1))
            .returning(webhook_events::body_hash)
            .get_result(conn)
            .await?,
    ))
}

/// Writes a note on an event.
pub(crate) async fn note(conn: &mut Conn, id: &str, note: &str) -> Result<(), TxError> {
    diesel::update(webhook_events::table.find(id)).set(webhook_events::note.eq(note)).execute(conn).await?;
    Ok(())
}

type InMs = UncheckedBind<SqlLiteral<Timestamptz>, diesel::dsl::AsExprOf<i64, BigInt>>;

/// The time `ms` milliseconds from now by the database's clock.
fn in_ms(ms: i64) -> InMs {
    sql::<Timestamptz>("now() + interval '1 millisecond' * ").bind::<BigInt, _>(ms)
}

/// Claims pending events for [`VISIBILITY_MS`].
pub(crate) async fn claim(conn: &mut Conn) -> Result<Vec<Event>, TxError> {
    let due: Vec<String> = webhook_events::table
        .filter(webhook_events::state.eq("pending").and(webhook_events::next_attempt_at.le(now)))
        .order(webhook_events::next_attempt_at)
        .limit(BATCH)
        .select(webhook_events::event_id)
        .for_update()
        .skip_locked()
        .load(conn)
        .await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    Ok(diesel::update(webhook_events::table.filter(webhook_events::event_id.eq_any(due)))
        .set((
            webhook_events::attempts.eq(webhook_events::attempts + 1),
            webhook_events::next_attempt_at.eq(in_ms(VISIBILITY_MS)),
        ))
        .returning(Event::as_returning())
        .get_results(conn)
        .await?)
}

/// Records the result of an event.
pub(crate) async fn settle(
    conn: &mut Conn,
    id: &str,
    state: &str,
    note: &str,
    at: DateTime<Utc>,
) -> Result<(), TxError> {
    diesel::update(webhook_events::table.find(id))
        .set((webhook_events::state.eq(state), webhook_events::note.eq(note), webhook_events::applied_at.eq(at)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Sets the time of an event's next attempt.
pub(crate) async fn postpone(conn: &mut Conn, id: &str, attempts: i32, note: &str) -> Result<(), TxError> {
    let doublings = u32::try_from(attempts.clamp(1, 12) - 1).unwrap_or(0);
    let wait = (500_i64 << doublings).min(600_000);
    diesel::update(webhook_events::table.find(id))
        .set((webhook_events::next_attempt_at.eq(in_ms(wait)), webhook_events::note.eq(note)))
        .execute(conn)
        .await?;
    Ok(())
}

/// When the last event has come, by the database's clock.
pub(crate) async fn last_received(mut conn: &Conn) -> Result<Option<DateTime<Utc>>, TxError> {
    Ok(webhook_events::table.select(diesel::dsl::max(webhook_events::received_at)).first(&mut conn).await?)
}

/// Events that wait, were put aside or have a note, the oldest first.
pub(crate) async fn waiting(mut conn: &Conn, limit: i64) -> Result<Vec<WaitingEvent>, TxError> {
    use webhook_events as w;
    let found = w::table.filter(w::state.eq_any(["pending", "quarantined"]).or(w::note.ne(""))).order(w::received_at);
    let columns = (w::event_id, w::event, w::state, w::note, w::attempts, w::received_at);
    let rows: Vec<(String, String, String, String, i32, DateTime<Utc>)> =
        found.limit(limit).select(columns).load(&mut conn).await?;
    let event = |(event_id, event, state, note, attempts, received_at)| WaitingEvent {
        event_id,
        event,
        state,
        note,
        attempts,
        received_at,
    };
    Ok(rows.into_iter().map(event).collect())
}

/// Has an event applied again; false when there is none with this id.
pub(crate) async fn replay(conn: &mut Conn, id: &str) -> Result<bool, TxError> {
    let again = (webhook_events::state.eq("pending"), webhook_events::next_attempt_at.eq(now));
    Ok(diesel::update(webhook_events::table.find(id)).set(again).execute(conn).await? == 1)
}
