use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::Error;
use kit::ids::TenantId;
use kit_pg::{Conn, OldRows, TxError};
use serde_json::Value;
use uuid::Uuid;

use crate::schema::inbox;

/// A message that another service delivered.
#[derive(Clone, Debug)]
pub struct Delivered {
    pub id: Uuid,
    pub topic: String,
    pub tenant: Option<TenantId>,
    pub aggregate: Uuid,
    pub version: i64,
    pub payload: Value,
}

impl Delivered {
    /// Parses the ids and the payload of a received message.
    ///
    /// # Errors
    /// `Invalid` when one of them is malformed.
    pub fn parse(
        id: &str,
        topic: String,
        tenant: Option<&str>,
        aggregate: &str,
        version: i64,
        payload: &str,
    ) -> Result<Self, Error> {
        let uuid = |name: &str, text: &str| Uuid::try_parse(text).map_err(|_bad| Error::invalid(name, "not a UUID"));
        Ok(Self {
            id: uuid("message_id", id)?,
            topic,
            tenant: tenant.map(|text| uuid("tenant_id", text)).transpose()?.map(TenantId),
            aggregate: uuid("aggregate_id", aggregate)?,
            version,
            payload: serde_json::from_str(payload).map_err(|_bad| Error::invalid("payload", "not JSON"))?,
        })
    }

    /// A boolean of the payload; false when it is missing.
    pub fn flag(&self, name: &str) -> bool {
        self.payload.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A text of the payload; empty when it is missing.
    pub fn text(&self, name: &str) -> &str {
        self.payload.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Received messages, by the time of their arrival.
pub const OLD_INBOX: OldRows = OldRows { table: "inbox", condition: "received_at < $1" };

/// Records a message for a consumer; true the first time, false for a redelivery, which must have no effect.
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
