use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError};

use crate::schema::tenants;

/// Whether the tenant is premium, by the last event of payments-service.
pub(crate) async fn is_premium(mut conn: &Conn, id: TenantId) -> Result<bool, TxError> {
    let known: Option<bool> =
        tenants::table.find(id.0).select(tenants::is_premium).first(&mut conn).await.optional()?;
    Ok(known.unwrap_or(false))
}

/// Applies an event of payments-service about a tenant, unless a newer one was applied.
pub(crate) async fn set_premium(conn: &mut Conn, id: TenantId, premium: bool, version: i64) -> Result<(), TxError> {
    diesel::insert_into(tenants::table).values(tenants::id.eq(id.0)).on_conflict_do_nothing().execute(conn).await?;
    diesel::update(tenants::table.find(id.0).filter(tenants::premium_version.lt(version)))
        .set((tenants::is_premium.eq(premium), tenants::premium_version.eq(version)))
        .execute(conn)
        .await?;
    Ok(())
}
