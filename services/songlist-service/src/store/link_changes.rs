//! Changes of several links at once.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, of_tenant};
use uuid::Uuid;

use super::songs::Song;
use super::tenant_song_counts;
use crate::schema::{songs, tenant_songs};

/// A link that was locked.
pub(crate) struct Locked {
    pub id: Uuid,
    pub tenant: Uuid,
    /// The duration that it shows.
    pub duration: Option<i16>,
}

/// Locks links to a song, in the order of their ids from the one behind `after`.
pub(crate) async fn lock(conn: &mut Conn, song: &Song, after: Uuid, limit: i64) -> Result<Vec<Locked>, TxError> {
    // A TENANT song is on its own tenant's list only; the other arm has an index of links to GLOBAL songs.
    let rows: Vec<(Uuid, Uuid, Option<i16>)> = match song.tenant_id {
        Some(tenant) => {
            tenant_songs::table
                .filter(of_tenant(tenant_songs::tenant_id, TenantId(tenant)))
                .filter(tenant_songs::song_id.eq(song.id))
                .filter(tenant_songs::id.gt(after))
                .select((tenant_songs::id, tenant_songs::tenant_id, tenant_songs::duration))
                .for_update()
                .load(conn)
                .await?
        }
        None => {
            tenant_songs::table
                .filter(tenant_songs::is_global)
                .filter(tenant_songs::song_id.eq(song.id))
                .filter(tenant_songs::id.gt(after))
                .order(tenant_songs::id)
                .limit(limit)
                .select((tenant_songs::id, tenant_songs::tenant_id, tenant_songs::duration))
                .for_update()
                .load(conn)
                .await?
        }
    };
    Ok(rows.into_iter().map(|(id, tenant, duration)| Locked { id, tenant, duration }).collect())
}

/// Copies what lists compare and show of a song into links.
pub(crate) async fn rewrite(conn: &mut Conn, ids: &[Uuid], song: &Song) -> Result<(), TxError> {
    use tenant_songs as t;
    diesel::update(t::table.filter(t::id.eq_any(ids.to_vec())))
        .set((
            (t::title.eq(&song.title), t::artist.eq(&song.artist), t::album.eq(&song.album)),
            (t::title_norm.eq(&song.title_norm), t::artist_norm.eq(&song.artist_norm)),
            (t::album_norm.eq(&song.album_norm), t::words.eq(&song.words)),
            t::genre_id.eq(song.genre_id),
            t::release_year.eq(song.release_year.unwrap_or(0)),
            t::duration.eq(song.duration),
            t::artwork.eq(song.artwork.clone()),
            t::version.eq(t::version + 1),
            t::updated_at.eq(song.updated_at),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Copies what lists compare and show of their songs into links that show something else. The duration of a link that was
/// removed for a while stays: playlists may hold it, and change with it when lists follow the song.
pub(crate) async fn catch_up(conn: &mut Conn, tenant: TenantId, links: &[Uuid]) -> Result<(), TxError> {
    const CATCH_UP: &str = "
        UPDATE tenant_songs l
        SET title = s.title, artist = s.artist, album = s.album, title_norm = s.title_norm, artist_norm = s.artist_norm,
            album_norm = s.album_norm, genre_id = s.genre_id, release_year = coalesce(s.release_year, 0),
            duration = CASE l.version WHEN 1 THEN s.duration ELSE l.duration END, artwork = s.artwork, words = s.words
        FROM songs s
        WHERE l.tenant_id = $1 AND l.id = ANY ($2) AND s.id = l.song_id
          AND (l.title, l.artist, l.album, l.genre_id, l.release_year, l.artwork, CASE l.version WHEN 1 THEN l.duration END)
              IS DISTINCT FROM
              (s.title, s.artist, s.album, s.genre_id, coalesce(s.release_year, 0), s.artwork, CASE l.version WHEN 1 THEN s.duration END)";
    let query = diesel::sql_query(CATCH_UP).bind::<SqlUuid, _>(tenant.0);
    query.bind::<Array<SqlUuid>, _>(links).execute(conn).await?;
    Ok(())
}

/// True for links to a song that was deleted.
fn of_deleted_song() -> diesel::dsl::Filter<songs::table, diesel::dsl::IsNotNull<songs::deleted_at>> {
    songs::table.filter(songs::deleted_at.is_not_null())
}

/// Removes live links of a tenant from its list; returns those that were removed.
pub(crate) async fn unlink(
    conn: &mut Conn,
    tenant: TenantId,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, TxError> {
    let gone = of_deleted_song().filter(songs::id.eq(tenant_songs::song_id)).select(songs::id);
    let live = tenant_songs::table
        .filter(of_tenant(tenant_songs::tenant_id, tenant))
        .filter(tenant_songs::id.eq_any(ids.to_vec()))
        .filter(tenant_songs::deleted_at.is_null())
        .filter(diesel::dsl::not(diesel::dsl::exists(gone)));
    let removed: Vec<(Uuid, bool)> = diesel::update(live)
        .set((
            tenant_songs::deleted_at.eq(now),
            tenant_songs::version.eq(tenant_songs::version + 1),
            tenant_songs::updated_at.eq(now),
        ))
        .returning((tenant_songs::id, tenant_songs::is_active))
        .get_results(conn)
        .await?;
    let approved = removed.iter().filter(|(_, is_active)| *is_active).count();
    tenant_song_counts::add(conn, tenant, -length(removed.len()), -length(approved)).await?;
    Ok(removed.into_iter().map(|(id, _)| id).collect())
}

/// Approves or withdraws live links of a tenant; returns those that were not in that state already.
pub(crate) async fn set_active(
    conn: &mut Conn,
    tenant: TenantId,
    ids: &[Uuid],
    active: bool,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, TxError> {
    let gone = of_deleted_song().filter(songs::id.eq(tenant_songs::song_id)).select(songs::id);
    let other_way = tenant_songs::table
        .filter(of_tenant(tenant_songs::tenant_id, tenant))
        .filter(tenant_songs::id.eq_any(ids.to_vec()))
        .filter(tenant_songs::deleted_at.is_null())
        .filter(tenant_songs::is_active.ne(active))
        .filter(diesel::dsl::not(diesel::dsl::exists(gone)));
    let changed: Vec<Uuid> = diesel::update(other_way)
        .set((
            tenant_songs::is_active.eq(active),
            tenant_songs::version.eq(tenant_songs::version + 1),
            tenant_songs::updated_at.eq(now),
        ))
        .returning(tenant_songs::id)
        .get_results(conn)
        .await?;
    let approved = length(changed.len());
    tenant_song_counts::add(conn, tenant, 0, if active { approved } else { -approved }).await?;
    Ok(changed)
}

/// Takes songs that were deleted some time ago out of the stored counts of all lists; returns how many songs.
pub(crate) async fn count_out(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> Result<usize, TxError> {
    let deleted: Vec<Uuid> = songs::table
        .filter(songs::deleted_at.lt(before))
        .filter(diesel::dsl::not(songs::counted_out))
        .order((songs::deleted_at, songs::id))
        .limit(limit)
        .select(songs::id)
        .for_update()
        .load(conn)
        .await?;
    diesel::sql_query(COUNT_OUT).bind::<Array<SqlUuid>, _>(&deleted).execute(conn).await?;
    let marked = diesel::update(songs::table.filter(songs::id.eq_any(&deleted))).set(songs::counted_out.eq(true));
    Ok(marked.execute(conn).await?)
}

/// The rows of counts are locked in the order of their ids, so that two of these wait for each other and no deadlock is made.
const COUNT_OUT: &str = "
    WITH gone AS (
        SELECT l.tenant_id, count(*) AS total, count(*) FILTER (WHERE l.is_active) AS approved
        FROM (
            SELECT tenant_id, is_active FROM tenant_songs
            WHERE song_id = ANY ($1) AND is_global AND deleted_at IS NULL
            UNION ALL
            SELECT own.tenant_id, own.is_active FROM songs s
            JOIN tenant_songs own ON own.tenant_id = s.tenant_id AND own.song_id = s.id
            WHERE s.id = ANY ($1) AND own.deleted_at IS NULL
        ) l
        GROUP BY l.tenant_id
    ), locked AS (
        SELECT c.tenant_id, g.total, g.approved FROM tenant_song_counts c JOIN gone g USING (tenant_id)
        ORDER BY c.tenant_id FOR UPDATE OF c
    )
    UPDATE tenant_song_counts c SET total = c.total - l.total, approved = c.approved - l.approved
    FROM locked l WHERE l.tenant_id = c.tenant_id";

fn length(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
