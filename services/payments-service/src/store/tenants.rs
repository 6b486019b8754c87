use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError};
use uuid::Uuid;

use crate::schema::tenants;

/// What auth-service has said about a tenant.
#[derive(Clone, Debug, Insertable, AsChangeset)]
#[diesel(table_name = tenants)]
pub(crate) struct Tenant<'a> {
    pub id: Uuid,
    pub name: &'a str,
    pub is_active: bool,
    pub is_deleted: bool,
    pub version: i64,
}

/// Stores what was said about a tenant, unless something newer was.
pub(crate) async fn put(conn: &mut Conn, row: &Tenant<'_>) -> Result<(), TxError> {
    let inserted = diesel::insert_into(tenants::table).values(row).on_conflict_do_nothing().execute(conn).await?;
    if inserted == 0 {
        let older = tenants::table.find(row.id).filter(tenants::version.lt(row.version));
        diesel::update(older).set(row).execute(conn).await?;
    }
    Ok(())
}

/// True when a tenant was deleted; one that was never heard of was not.
pub(crate) async fn is_deleted(mut conn: &Conn, id: TenantId) -> Result<bool, TxError> {
    let known = tenants::table.find(id.0).select(tenants::is_deleted).first(&mut conn).await.optional()?;
    Ok(known.unwrap_or(false))
}

/// The name of a tenant; empty for one that was never heard of.
pub(crate) async fn name(mut conn: &Conn, id: TenantId) -> Result<String, TxError> {
    let known = tenants::table.find(id.0).select(tenants::name).first(&mut conn).await.optional()?;
    Ok(known.unwrap_or_default())
}
