use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, of_tenant};
use uuid::Uuid;

use super::songs::Song;
use super::tenant_songs::Link;
use crate::schema::{genres, playlist_entries, songs, tenant_songs};

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = playlist_entries)]
pub(crate) struct Entry {
    pub playlist_id: Uuid,
    pub tenant_song_id: Uuid,
    pub tenant_id: Uuid,
    pub position: i64,
    pub added_at: DateTime<Utc>,
}

/// An entry with what it shows.
#[derive(Clone, Debug)]
pub(crate) struct EntrySong {
    pub entry: Entry,
    pub link: Link,
    pub song: Song,
    pub genre: String,
}

impl EntrySong {
    /// Derived, never stored: link, approval and song are live.
    pub(crate) fn available(&self) -> bool {
        self.link.is_active && self.link.deleted_at.is_none() && self.song.deleted_at.is_none()
    }
}

/// Those of `ids` that are in the playlist.
pub(crate) async fn present(
    conn: &mut Conn,
    tenant: TenantId,
    playlist: Uuid,
    ids: &[Uuid],
) -> Result<Vec<Uuid>, TxError> {
    Ok(playlist_entries::table
        .filter(of_tenant(playlist_entries::tenant_id, tenant))
        .filter(playlist_entries::playlist_id.eq(playlist))
        .filter(playlist_entries::tenant_song_id.eq_any(ids.to_vec()))
        .select(playlist_entries::tenant_song_id)
        .load(conn)
        .await?)
}

/// Moves the entries from `position` on by so many places.
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

/// Deletes an entry; its position, and the length of its song.
pub(crate) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    playlist: Uuid,
    tenant_song: Uuid,
) -> Result<Option<(i64, Option<i16>)>, TxError> {
    let entry = playlist_entries::table
        .filter(of_tenant(playlist_entries::tenant_id, tenant))
        .filter(playlist_entries::playlist_id.eq(playlist))
        .filter(playlist_entries::tenant_song_id.eq(tenant_song));
    let position: Option<i64> =
        diesel::delete(entry).returning(playlist_entries::position).get_result(conn).await.optional()?;
    let Some(position) = position else { return Ok(None) };
    let duration = tenant_songs::table
        .inner_join(songs::table)
        .filter(of_tenant(tenant_songs::tenant_id, tenant))
        .filter(tenant_songs::id.eq(tenant_song))
        .select(songs::duration)
        .first(conn)
        .await?;
    Ok(Some((position, duration)))
}

/// Entries in order, from the one after `after_position`.
pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    playlist: Uuid,
    after_position: i64,
    limit: i64,
) -> Result<Vec<EntrySong>, TxError> {
    let rows: Vec<(Entry, Link, Song)> = playlist_entries::table
        .inner_join(tenant_songs::table.inner_join(songs::table))
        .filter(of_tenant(playlist_entries::tenant_id, tenant))
        .filter(playlist_entries::playlist_id.eq(playlist))
        .filter(playlist_entries::position.gt(after_position))
        .order(playlist_entries::position)
        .limit(limit)
        .select((Entry::as_select(), Link::as_select(), Song::as_select()))
        .load(conn)
        .await?;
    let ids: Vec<Uuid> = rows.iter().map(|(_, _, song)| song.genre_id).collect();
    let names: Vec<(Uuid, String)> =
        genres::table.filter(genres::id.eq_any(ids)).select((genres::id, genres::name)).load(conn).await?;
    let name =
        |id: Uuid| names.iter().find(|(known, _)| *known == id).map(|(_, name)| name.clone()).unwrap_or_default();
    Ok(rows
        .into_iter()
        .map(|(entry, link, song)| EntrySong { genre: name(song.genre_id), entry, link, song })
        .collect())
}
