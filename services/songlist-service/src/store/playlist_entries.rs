use chrono::{DateTime, Utc};
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, Window, of_tenant};
use uuid::Uuid;

use crate::schema::{playlist_entries, songs, tenant_songs};

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = playlist_entries)]
pub(crate) struct Entry {
    pub playlist_id: Uuid,
    pub tenant_song_id: Uuid,
    pub tenant_id: Uuid,
    pub position: i64,
    pub added_at: DateTime<Utc>,
}

/// An entry with the fields that are shown of its link, in the order of the select.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct EntrySong {
    pub tenant_song_id: Uuid,
    pub position: i64,
    pub added_at: DateTime<Utc>,
    pub song_id: Uuid,
    pub title: String,
    pub artist: String,
    pub album: String,
    pub genre_id: Uuid,
    pub duration: Option<i16>,
    /// 0 when unknown.
    pub release_year: i16,
    /// True when link and song are live and the song is approved; computed by the query, not stored.
    pub available: bool,
}

/// The ids among `ids` that are in the playlist.
pub(crate) async fn present(
    mut conn: &Conn,
    tenant: TenantId,
    playlist: Uuid,
    ids: &[Uuid],
) -> Result<Vec<Uuid>, TxError> {
    Ok(playlist_entries::table
        .filter(of_tenant(playlist_entries::tenant_id, tenant))
        .filter(playlist_entries::playlist_id.eq(playlist))
        .filter(playlist_entries::tenant_song_id.eq_any(ids.to_vec()))
        .select(playlist_entries::tenant_song_id)
        .load(&mut conn)
        .await?)
}

/// Changes the positions of all entries from `position` on by `by`.
pub(crate) async fn shift(
    conn: &mut Conn,
    tenant: TenantId,
    playlist: Uuid,
    position: i64,
    by: i64,
) -> Result<(), TxError> {
    let behind = playlist_entries::table
        .filter(of_tenant(playlist_entries::tenant_id, tenant))
        .filter(playlist_entries::playlist_id.eq(playlist))
        .filter(playlist_entries::position.ge(position));
    diesel::update(behind).set(playlist_entries::position.eq(playlist_entries::position + by)).execute(conn).await?;
    Ok(())
}

pub(crate) async fn insert(conn: &mut Conn, rows: &[Entry]) -> Result<(), TxError> {
    diesel::insert_into(playlist_entries::table).values(rows).execute(conn).await?;
    Ok(())
}

/// Deletes entries; returns their links, and the seconds of their songs in all.
pub(crate) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    playlist: Uuid,
    links: &[Uuid],
) -> Result<(Vec<Uuid>, i64), TxError> {
    let entries = playlist_entries::table
        .filter(of_tenant(playlist_entries::tenant_id, tenant))
        .filter(playlist_entries::playlist_id.eq(playlist))
        .filter(playlist_entries::tenant_song_id.eq_any(links.to_vec()));
    let deleted: Vec<Uuid> =
        diesel::delete(entries).returning(playlist_entries::tenant_song_id).get_results(conn).await?;
    let durations: Vec<Option<i16>> = tenant_songs::table
        .filter(of_tenant(tenant_songs::tenant_id, tenant))
        .filter(tenant_songs::id.eq_any(&deleted))
        .select(tenant_songs::duration)
        .load(conn)
        .await?;
    let seconds = durations.into_iter().map(|duration| i64::from(duration.unwrap_or(0))).sum();
    Ok((deleted, seconds))
}

/// Numbers the entries of a playlist again, in their order and without gaps.
pub(crate) async fn close_gaps(conn: &mut Conn, tenant: TenantId, playlist: Uuid) -> Result<(), TxError> {
    const CLOSE_GAPS: &str = "
        UPDATE playlist_entries e SET position = r.position
        FROM (
            SELECT tenant_song_id, row_number() OVER (ORDER BY position) AS position
            FROM playlist_entries WHERE tenant_id = $1 AND playlist_id = $2
        ) r
        WHERE e.tenant_id = $1 AND e.playlist_id = $2 AND e.tenant_song_id = r.tenant_song_id
          AND e.position <> r.position";
    diesel::sql_query(CLOSE_GAPS).bind::<SqlUuid, _>(tenant.0).bind::<SqlUuid, _>(playlist).execute(conn).await?;
    Ok(())
}

/// Positions from the first one on, before the second one, that change by the third number.
pub(crate) type Shift = (i64, i64, i64);

/// Lets two ranges of entries next to each other change places.
pub(crate) async fn swap(
    conn: &mut Conn,
    tenant: TenantId,
    playlist: Uuid,
    one: Shift,
    other: Shift,
) -> Result<(), TxError> {
    use playlist_entries::position;
    let both = playlist_entries::table
        .filter(of_tenant(playlist_entries::tenant_id, tenant))
        .filter(playlist_entries::playlist_id.eq(playlist))
        .filter(position.ge(one.0.min(other.0)))
        .filter(position.lt(one.1.max(other.1)));
    let in_one = position.ge(one.0).and(position.lt(one.1));
    diesel::update(both)
        .set(position.eq(case_when(in_one, position + one.2).otherwise(position + other.2)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Entries in order, from the one after `after_position`.
pub(crate) async fn list(
    mut conn: &Conn,
    tenant: TenantId,
    playlist: Uuid,
    after_position: i64,
    limit: i64,
) -> Result<Vec<EntrySong>, TxError> {
    use playlist_entries as e;
    use tenant_songs as t;
    let deleted = songs::table.filter(songs::id.eq(t::song_id)).filter(songs::deleted_at.is_not_null());
    let song_is_live = diesel::dsl::not(diesel::dsl::exists(deleted.select(songs::id)));
    let available = t::is_active.and(t::deleted_at.is_null()).and(song_is_live);
    let query = e::table
        .inner_join(t::table)
        .filter(of_tenant(e::tenant_id, tenant))
        .filter(e::playlist_id.eq(playlist))
        .filter(e::position.gt(after_position))
        .order(e::position)
        .select((
            e::tenant_song_id,
            e::position,
            e::added_at,
            t::song_id,
            t::title,
            t::artist,
            t::album,
            t::genre_id,
            t::duration,
            t::release_year,
            available,
        ));
    let mut rows: Vec<EntrySong> = Window { rows: limit, offset: 0 }.of(query).load(&mut conn).await?;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(rows)
}
