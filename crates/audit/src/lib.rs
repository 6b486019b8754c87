//! The audit log: who did what to whom, from where and with which result. Every service writes its events in the
//! transaction of the change; auth-service, which shows them, gets copies through the outbox.

pub mod schema;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::caller::{Actor, Caller};
use kit::error::Error;
use kit_pg::{Conn, TxError};
use outbox::{Delivered, NewMessage};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use schema::audit_events;

/// The longest text of a copy in bytes.
const MAX_TEXT: usize = 1_000;

/// The topic of copies.
pub const TOPIC: &str = "audit.recorded";

/// What happened, and to whom.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    pub tenant: Option<Uuid>,
    /// The user who did it, when the caller is not signed in yet.
    pub actor: Option<Uuid>,
    /// The event's name, from OWASP's logging vocabulary where it has one.
    pub action: &'a str,
    /// The user or the object that it was done to.
    pub target: Option<Uuid>,
    pub result: &'a str,
}

impl<'a> Event<'a> {
    /// Something that succeeded.
    pub fn success(tenant: Option<Uuid>, action: &'a str, target: Uuid) -> Self {
        Self { tenant, actor: None, action, target: Some(target), result: "success" }
    }
}

/// A row of the audit log.
#[derive(Clone, Debug, Insertable, Serialize, Deserialize)]
#[diesel(table_name = audit_events)]
struct Entry {
    id: Uuid,
    tenant_id: Option<Uuid>,
    actor_id: Option<Uuid>,
    actor_role: Option<String>,
    action: String,
    target_id: Option<Uuid>,
    result: String,
    request_id: String,
    client_net: Option<String>,
    created_at: DateTime<Utc>,
    /// The service that recorded it.
    #[serde(default)]
    service: String,
}

impl Entry {
    fn new(service: &str, caller: &Caller, at: DateTime<Utc>, event: Event<'_>) -> Self {
        let (id, role) = match &caller.actor {
            Actor::User { id, role, .. } => (Some(id.0), Some(role.name())),
            Actor::Platform { id, .. } => (Some(id.0), Some("SUPER_ADMIN")),
            Actor::System { .. } => (None, Some("SYSTEM")),
            Actor::Anonymous => (event.actor, None),
        };
        Self {
            id: kit::ids::new_v7(),
            tenant_id: event.tenant,
            actor_id: id,
            actor_role: role.map(str::to_owned),
            action: event.action.to_owned(),
            target_id: event.target,
            result: event.result.to_owned(),
            request_id: caller.request_id.clone(),
            client_net: caller.place(),
            created_at: at,
            service: service.to_owned(),
        }
    }
}

async fn insert(conn: &mut Conn, entry: &Entry) -> Result<(), TxError> {
    diesel::insert_into(audit_events::table).values(entry).execute(conn).await?;
    Ok(())
}

/// Records an event of auth-service in the transaction of its change.
///
/// # Errors
/// When the row cannot be written.
pub async fn record(conn: &mut Conn, caller: &Caller, at: DateTime<Utc>, event: Event<'_>) -> Result<(), TxError> {
    insert(conn, &Entry::new("auth", caller, at, event)).await
}

/// Records an event of another service in the transaction of its change, and sends auth-service a copy.
///
/// # Errors
/// When a row cannot be written.
pub async fn record_and_send(
    conn: &mut Conn,
    service: &str,
    caller: &Caller,
    at: DateTime<Utc>,
    event: Event<'_>,
) -> Result<(), TxError> {
    let entry = Entry::new(service, caller, at, event);
    insert(conn, &entry).await?;
    let copy = NewMessage {
        topic: TOPIC,
        tenant_id: entry.tenant_id,
        aggregate_id: entry.id,
        version: 0,
        payload: serde_json::to_value(&entry).map_err(Error::internal)?,
        request_id: entry.request_id.clone(),
    };
    outbox::emit(conn, copy).await
}

/// Writes the copy of another service's event.
///
/// # Errors
/// `Invalid` when the message is no event, or says another tenant than its sender does.
pub async fn receive(conn: &mut Conn, message: &Delivered) -> Result<(), TxError> {
    let entry: Entry = serde_json::from_value(message.payload.clone())
        .map_err(|_malformed| Error::invalid("payload", "not an event of the audit log"))?;
    let is_long = |text: &str| text.len() > MAX_TEXT;
    if [&entry.action, &entry.result, &entry.request_id, &entry.service].into_iter().any(|text| is_long(text)) {
        return Err(Error::invalid("payload", "an event with a long text").into());
    }
    if entry.tenant_id != message.tenant.map(|id| id.0) {
        return Err(Error::invalid("payload", "an event of another tenant").into());
    }
    insert(conn, &entry).await
}
