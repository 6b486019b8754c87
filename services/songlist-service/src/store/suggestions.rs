//! What a search may be going to be: titles and artists that begin with what was typed.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, of_tenant};

use super::search::end_of;
use crate::schema::{songs, tenant_songs};

#[diesel::declare_sql_function]
extern "SQL" {
    /// Distinct artists, made by a migration.
    fn suggest_artists(tenant: SqlUuid, low: Text, high: Text, approved_only: Bool, most: Integer) -> Array<Text>;
}

/// Titles with their artists whose compared form begins with `prefix`, in order; some may be the same.
pub(crate) async fn titles(
    mut conn: &Conn,
    tenant: TenantId,
    prefix: &str,
    approved_only: bool,
    most: i64,
) -> Result<Vec<(String, String)>, TxError> {
    let deleted = songs::table.filter(songs::id.eq(tenant_songs::song_id)).filter(songs::deleted_at.is_not_null());
    let beginning = tenant_songs::table
        .filter(of_tenant(tenant_songs::tenant_id, tenant))
        .filter(tenant_songs::deleted_at.is_null())
        .filter(tenant_songs::title_norm.ge(prefix.to_owned()))
        .filter(tenant_songs::title_norm.lt(end_of(prefix)))
        .filter(diesel::dsl::not(diesel::dsl::exists(deleted.select(songs::id))))
        .order((tenant_songs::title_norm, tenant_songs::id))
        .select((tenant_songs::title, tenant_songs::artist))
        .into_boxed();
    let seen = if approved_only { beginning.filter(tenant_songs::is_active) } else { beginning };
    Ok(seen.limit(most).load(&mut conn).await?)
}

/// Artists whose compared form begins with `prefix`, in order.
pub(crate) async fn artists(
    mut conn: &Conn,
    tenant: TenantId,
    prefix: &str,
    approved_only: bool,
    most: i32,
) -> Result<Vec<String>, TxError> {
    let found = suggest_artists(tenant.0, prefix.to_owned(), end_of(prefix), approved_only, most);
    Ok(diesel::select(found).get_result(&mut conn).await?)
}
