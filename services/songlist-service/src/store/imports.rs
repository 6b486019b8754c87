//! The queries of an import; each handles a batch.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, of_tenant};

use super::songs::Song;
use crate::schema::songs;

/// Live songs with one of these titles: the tenant's own and GLOBAL ones, or GLOBAL ones only.
pub(crate) async fn with_titles(
    mut conn: &Conn,
    owner: Option<TenantId>,
    titles: &[String],
) -> Result<Vec<Song>, TxError> {
    let live = || songs::table.filter(songs::title_norm.eq_any(titles.to_vec())).filter(songs::deleted_at.is_null());
    let mut found: Vec<Song> =
        live().filter(songs::tenant_id.is_null()).select(Song::as_select()).load(&mut conn).await?;
    if let Some(id) = owner {
        found.extend(live().filter(of_tenant(songs::tenant_id, id)).select(Song::as_select()).load(&mut conn).await?);
    }
    Ok(found)
}

/// Inserts songs, except those that a concurrent request has inserted; returns the inserted rows.
pub(crate) async fn insert_missing(conn: &mut Conn, rows: &[Song]) -> Result<Vec<Song>, TxError> {
    Ok(diesel::insert_into(songs::table)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(Song::as_returning())
        .get_results(conn)
        .await?)
}
