use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit_pg::{Conn, TxError};
use uuid::Uuid;

use crate::schema::audit_events;

/// A row of the audit log: who did what to whom, and with which result.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = audit_events)]
pub(crate) struct AuditEvent {
    pub id: Uuid,
    pub tenant_id: Option<Uuid>,
    pub actor_id: Option<Uuid>,
    pub actor_role: Option<String>,
    pub action: String,
    pub target_id: Option<Uuid>,
    pub result: String,
    pub request_id: String,
    pub client_net: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// Writes an event in the transaction of the change that it records.
pub(crate) async fn insert(conn: &mut Conn, row: &AuditEvent) -> Result<(), TxError> {
    diesel::insert_into(audit_events::table).values(row).execute(conn).await?;
    Ok(())
}
