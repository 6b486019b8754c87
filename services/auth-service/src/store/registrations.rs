use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, tenant};
use uuid::Uuid;

use crate::schema::registrations;

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = registrations)]
pub(crate) struct Registration {
    pub id: Uuid,
    pub tenant_id: Uuid,
    pub username: String,
    pub username_norm: String,
    pub email: String,
    pub email_norm: String,
    pub first_name: String,
    pub last_name: String,
    pub phone_no: String,
    pub password_hash: String,
    pub created_at: DateTime<Utc>,
}

pub(crate) async fn insert(conn: &mut Conn, row: &Registration) -> Result<(), TxError> {
    diesel::insert_into(registrations::table).values(row).execute(conn).await?;
    Ok(())
}

pub(crate) async fn find(conn: &mut Conn, id: TenantId, registration: Uuid) -> Result<Registration, TxError> {
    Ok(registrations::table
        .filter(tenant::of(registrations::tenant_id, id))
        .filter(registrations::id.eq(registration))
        .select(Registration::as_select())
        .first(conn)
        .await?)
}

/// Forgets what was never proven; returns how many.
pub(crate) async fn purge(conn: &mut Conn, before: DateTime<Utc>) -> Result<usize, TxError> {
    Ok(diesel::delete(registrations::table.filter(registrations::created_at.lt(before))).execute(conn).await?)
}
