use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, OldRows, TxError, of_tenant};
use uuid::Uuid;

use crate::schema::registrations;

/// Registrations by age.
pub(crate) const OLD: OldRows = OldRows { table: "registrations", condition: "created_at < $1" };

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

pub(crate) async fn find(mut conn: &Conn, id: TenantId, registration: Uuid) -> Result<Registration, TxError> {
    Ok(registrations::table
        .filter(of_tenant(registrations::tenant_id, id))
        .filter(registrations::id.eq(registration))
        .select(Registration::as_select())
        .first(&mut conn)
        .await?)
}

/// The newest registration with an address.
pub(crate) async fn newest(mut conn: &Conn, id: TenantId, email: &str) -> Result<Option<Registration>, TxError> {
    Ok(registrations::table
        .filter(of_tenant(registrations::tenant_id, id))
        .filter(registrations::email_norm.eq(email))
        .order(registrations::created_at.desc())
        .select(Registration::as_select())
        .first(&mut conn)
        .await
        .optional()?)
}
