use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError};

use crate::schema::tenants;

/// Applies an event of auth-service about a tenant, unless a newer one was applied.
pub(crate) async fn put(conn: &mut Conn, id: TenantId, name: &str, active: bool, version: i64) -> Result<(), TxError> {
    let row =
        (tenants::id.eq(id.0), tenants::name.eq(name), tenants::is_active.eq(active), tenants::version.eq(version));
    let inserted = diesel::insert_into(tenants::table).values(row).on_conflict_do_nothing().execute(conn).await?;
    if inserted == 0 {
        diesel::update(tenants::table.find(id.0).filter(tenants::version.lt(version)))
            .set((tenants::name.eq(name), tenants::is_active.eq(active), tenants::version.eq(version)))
            .execute(conn)
            .await?;
    }
    Ok(())
}
