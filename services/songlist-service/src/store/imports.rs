//! The queries of an import; each handles a batch.

use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError};

use super::songs::Song;
use crate::schema::songs;

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
    plan_by_keys(conn, "off").await?;
    let mut found: Vec<Song> = diesel::sql_query(global).bind::<Array<Text>, _>(titles).load(&mut conn).await?;
    if let Some(id) = owner {
        let own = OF_TITLE.replace("$scope", "tenant_id = $2").replace("$order", "title_norm, artist_norm, album_norm");
        let own = diesel::sql_query(own).bind::<Array<Text>, _>(titles).bind::<SqlUuid, _>(id.0);
        found.extend(own.load::<Song>(&mut conn).await?);
    }
    plan_by_keys(conn, "on").await?;
    Ok(found)
}

/// While statistics say that a tenant has no song, every index looks equally good to the planner; the order of the look-ups decides
/// when it may neither sort nor build bitmaps. Other statements of the transaction, whose plans are kept, may do both.
async fn plan_by_keys(mut conn: &Conn, others: &str) -> Result<(), TxError> {
    const PLAN: &str = "SELECT set_config('enable_sort', $1, true), set_config('enable_bitmapscan', $1, true)";
    diesel::sql_query(PLAN).bind::<Text, _>(others).execute(&mut conn).await?;
    Ok(())
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
