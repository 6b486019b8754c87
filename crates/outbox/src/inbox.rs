use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit_pg::{Conn, TxError};
use uuid::Uuid;

use crate::schema::inbox;

/// Notes a message for a consumer; true the first time, false for a redelivery, which must have no effect.
///
/// # Errors
/// When the row cannot be written.
pub async fn first_time(conn: &mut Conn, consumer: &str, message_id: Uuid) -> Result<bool, TxError> {
    let noted = diesel::insert_into(inbox::table)
        .values((inbox::consumer.eq(consumer), inbox::message_id.eq(message_id)))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(noted == 1)
}

/// Forgets messages received before `before`; returns how many.
///
/// # Errors
/// When the rows cannot be deleted.
pub async fn purge(conn: &mut Conn, before: DateTime<Utc>) -> Result<usize, TxError> {
    Ok(diesel::delete(inbox::table.filter(inbox::received_at.lt(before))).execute(conn).await?)
}
