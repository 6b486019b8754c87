//! The queries of an import; each handles a batch.

use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError};

use super::songs::Song;
use crate::schema::songs;

/// Has the look-ups of this transaction planned by their keys. While statistics say that a tenant has no song, every index looks
/// equally good to the planner; the order of [`with_titles`] decides when it may neither sort nor build bitmaps.
pub(crate) async fn plan_by_keys(conn: &mut Conn) -> Result<(), TxError> {
    const PLAN: &str = "SELECT set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true)";
    diesel::sql_query(PLAN).execute(conn).await?;
    Ok(())
}

/// Live songs with one of these titles: the tenant's own and GLOBAL ones, or GLOBAL ones only.
pub(crate) async fn with_titles(
    mut conn: &Conn,
    owner: Option<TenantId>,
    titles: &[String],
) -> Result<Vec<Song>, TxError> {
    // Each title is looked up by itself, in the order of an index that begins with it. With a list of titles the planner read
    // all songs while the statistics still said that there are few, and an import took the longer the more it had stored.
    const OF_TITLE: &str = "
        SELECT s.* FROM unnest($1) AS wanted (title) CROSS JOIN LATERAL (
            SELECT * FROM songs WHERE $scope AND title_norm = wanted.title AND deleted_at IS NULL ORDER BY $order LIMIT 1000
        ) s";
    let global = OF_TITLE.replace("$scope", "tenant_id IS NULL").replace("$order", "title_norm, id");
    let mut found: Vec<Song> = diesel::sql_query(global).bind::<Array<Text>, _>(titles).load(&mut conn).await?;
    if let Some(id) = owner {
        let own = OF_TITLE.replace("$scope", "tenant_id = $2").replace("$order", "title_norm, artist_norm, album_norm");
        let own = diesel::sql_query(own).bind::<Array<Text>, _>(titles).bind::<SqlUuid, _>(id.0);
        found.extend(own.load::<Song>(&mut conn).await?);
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
