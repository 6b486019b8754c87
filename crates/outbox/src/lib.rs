//! The transactional outbox: a message is a row written with its effect and sent by a relay of the same service, at least
//! once. Its consumer records the message id in an inbox, in the transaction of its effect.

mod inbox;
mod relay;
mod schema;
mod waiting;

use std::time::Duration;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit_pg::{Conn, TxError};
use serde_json::Value;
use uuid::Uuid;

pub use inbox::{Delivered, OLD_INBOX, first_time};
pub use relay::{Lane, Listener, OLD_OUTBOX, Relay, Wake};
use schema::outbox;
pub use waiting::{Waiting, list, retry};

/// A message to be sent.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// What it is about, such as `premium.changed`.
    pub topic: &'static str,
    pub tenant_id: Option<Uuid>,
    /// The row it is about.
    pub aggregate_id: Uuid,
    /// The row's version: a consumer applies a message only when its version is newer than the one it has applied.
    pub version: i64,
    pub payload: Value,
    /// The request that caused it.
    pub request_id: String,
}

/// A message as the relay passes it to the service's `deliver`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = outbox)]
pub struct Message {
    pub id: Uuid,
    pub topic: String,
    pub tenant_id: Option<Uuid>,
    pub aggregate_id: Uuid,
    pub version: i64,
    pub payload: Value,
    pub request_id: String,
    pub attempts: i32,
}

/// Writes a message in the transaction of its cause.
///
/// # Errors
/// When the row cannot be written.
pub async fn emit(conn: &mut Conn, message: NewMessage) -> Result<(), TxError> {
    emit_later(conn, message, Duration::ZERO).await
}

/// The same for a message that is sent when this time has passed.
///
/// # Errors
/// When the row cannot be written.
pub async fn emit_later(conn: &mut Conn, message: NewMessage, delay: Duration) -> Result<(), TxError> {
    let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
    diesel::insert_into(outbox::table)
        .values((
            outbox::next_attempt_at.eq(relay::in_ms(delay)),
            outbox::id.eq(kit::ids::new_v7()),
            outbox::topic.eq(message.topic),
            outbox::tenant_id.eq(message.tenant_id),
            outbox::aggregate_id.eq(message.aggregate_id),
            outbox::version.eq(message.version),
            outbox::payload.eq(message.payload),
            outbox::request_id.eq(message.request_id),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
