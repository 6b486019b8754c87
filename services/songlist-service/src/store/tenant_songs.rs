use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, of_tenant};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::imports::of_each;
use super::songs::Song;
use super::{link_changes, tenant_song_counts};
use crate::schema::{songs, tenant_songs};

/// A link of a tenant to a song, with copies of the song's columns that lists compare and show.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub id: Uuid,
    pub tenant_id: Uuid,
    pub song_id: Uuid,
    pub is_active: bool,
    pub title_norm: String,
    pub artist_norm: String,
    pub album_norm: String,
    pub genre_id: Uuid,
    /// 0 when unknown.
    pub release_year: i16,
    pub title: String,
    pub artist: String,
    pub album: String,
    pub duration: Option<i16>,
    pub artwork: Option<String>,
    pub is_global: bool,
    /// What a search looks through.
    pub words: String,
}

/// The columns of a link that are shown.
#[derive(Clone, Debug, Queryable, QueryableByName, Selectable, Serialize, Deserialize)]
#[diesel(table_name = tenant_songs)]
pub(crate) struct TenantSong {
    pub id: Uuid,
    pub song_id: Uuid,
    pub title: String,
    pub artist: String,
    pub album: String,
    pub genre_id: Uuid,
    pub duration: Option<i16>,
    /// 0 when unknown.
    pub release_year: i16,
    pub artwork: Option<String>,
    pub is_global: bool,
    pub is_active: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Link {
    /// A new link to a song.
    pub(crate) fn new(tenant: TenantId, song: &Song, is_active: bool) -> Self {
        Self {
            id: kit::ids::new_v7(),
            tenant_id: tenant.0,
            song_id: song.id,
            is_active,
            title_norm: song.title_norm.clone(),
            artist_norm: song.artist_norm.clone(),
            album_norm: song.album_norm.clone(),
            genre_id: song.genre_id,
            release_year: song.release_year.unwrap_or(0),
            title: song.title.clone(),
            artist: song.artist.clone(),
            album: song.album.clone(),
            duration: song.duration,
            artwork: song.artwork.clone(),
            is_global: song.tenant_id.is_none(),
            words: song.words.clone(),
        }
    }
}

/// Adds to the stored counts of a tenant.
pub(crate) async fn count_in(conn: &mut Conn, id: TenantId, linked: usize, approved: usize) -> Result<(), TxError> {
    let number = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
    tenant_song_counts::add(conn, id, number(linked), number(approved)).await
}

/// Inserts links and restores removed ones; links that are live do not change and are not returned. They are not counted yet.
pub(crate) async fn link(
    conn: &mut Conn,
    id: TenantId,
    links: &[Link],
    now: DateTime<Utc>,
) -> Result<Vec<TenantSong>, TxError> {
    if links.is_empty() {
        return Ok(Vec::new());
    }
    let linked = link_created(conn, links, now).await?;
    // A song may have changed since it was read. From here on it cannot: its change waits for the rows of its links, or for
    // the references to it, and rewrites them after this transaction.
    let ids: Vec<Uuid> = linked.iter().map(|link| link.id).collect();
    link_changes::catch_up(conn, id, &ids).await?;
    Ok(linked)
}

/// The same for songs that this transaction has inserted.
pub(crate) async fn link_created(
    conn: &mut Conn,
    links: &[Link],
    now: DateTime<Utc>,
) -> Result<Vec<TenantSong>, TxError> {
    // Arrays are read faster than parameters for each column of each row.
    const LINK: &str = "
        INSERT INTO tenant_songs AS l (id, tenant_id, song_id, is_active, title_norm, artist_norm, album_norm, genre_id,
                                       release_year, title, artist, album, duration, artwork, is_global, words, created_at,
                                       updated_at)
        SELECT *, $17, $17 FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        ON CONFLICT (tenant_id, song_id) DO UPDATE SET
            is_active = excluded.is_active, deleted_at = NULL, version = l.version + 1, updated_at = excluded.updated_at,
            title_norm = excluded.title_norm, artist_norm = excluded.artist_norm, album_norm = excluded.album_norm,
            genre_id = excluded.genre_id, release_year = excluded.release_year, title = excluded.title,
            artist = excluded.artist, album = excluded.album, artwork = excluded.artwork, is_global = excluded.is_global,
            words = excluded.words
            WHERE l.deleted_at IS NOT NULL
        RETURNING l.*";
    Ok(diesel::sql_query(LINK)
        .bind::<Array<SqlUuid>, _>(of_each(links, |link| link.id))
        .bind::<Array<SqlUuid>, _>(of_each(links, |link| link.tenant_id))
        .bind::<Array<SqlUuid>, _>(of_each(links, |link| link.song_id))
        .bind::<Array<Bool>, _>(of_each(links, |link| link.is_active))
        .bind::<Array<Text>, _>(of_each(links, |link| link.title_norm.as_str()))
        .bind::<Array<Text>, _>(of_each(links, |link| link.artist_norm.as_str()))
        .bind::<Array<Text>, _>(of_each(links, |link| link.album_norm.as_str()))
        .bind::<Array<SqlUuid>, _>(of_each(links, |link| link.genre_id))
        .bind::<Array<SmallInt>, _>(of_each(links, |link| link.release_year))
        .bind::<Array<Text>, _>(of_each(links, |link| link.title.as_str()))
        .bind::<Array<Text>, _>(of_each(links, |link| link.artist.as_str()))
        .bind::<Array<Text>, _>(of_each(links, |link| link.album.as_str()))
        .bind::<Array<Nullable<SmallInt>>, _>(of_each(links, |link| link.duration))
        .bind::<Array<Nullable<Text>>, _>(of_each(links, |link| link.artwork.as_deref()))
        .bind::<Array<Bool>, _>(of_each(links, |link| link.is_global))
        .bind::<Array<Text>, _>(of_each(links, |link| link.words.as_str()))
        .bind::<Timestamptz, _>(now)
        .load(conn)
        .await?)
}

/// The live links among `ids`, in any order.
pub(crate) async fn find_many(mut conn: &Conn, id: TenantId, ids: &[Uuid]) -> Result<Vec<TenantSong>, TxError> {
    let named = live(id).filter(tenant_songs::id.eq_any(ids.to_vec()));
    Ok(named.select(TenantSong::as_select()).load(&mut conn).await?)
}

/// The number of live links of a tenant.
pub(crate) async fn total(conn: &Conn, id: TenantId) -> Result<i64, TxError> {
    tenant_song_counts::kept(conn, id, None).await
}

pub(super) type Query = tenant_songs::BoxedQuery<'static, Pg>;

/// The live links of a tenant to live songs. Deleting a song changes the song's row only, so the query checks it here,
/// with an index of the few deleted songs.
pub(super) fn live(id: TenantId) -> Query {
    linked(id).filter(not(exists(deleted())))
}

/// The song of a link, when it was deleted.
#[diesel::dsl::auto_type]
pub(super) fn deleted() -> _ {
    let of_link = songs::table.filter(songs::id.eq(tenant_songs::song_id));
    of_link.filter(songs::deleted_at.is_not_null()).select(songs::id)
}

/// The live links of a tenant, also to songs that were deleted.
pub(super) fn linked(id: TenantId) -> Query {
    tenant_songs::table
        .into_boxed()
        .filter(of_tenant(tenant_songs::tenant_id, id))
        .filter(tenant_songs::deleted_at.is_null())
}

/// A live link by id.
pub(crate) async fn find(mut conn: &Conn, tenant: TenantId, id: Uuid) -> Result<TenantSong, TxError> {
    Ok(live(tenant).filter(tenant_songs::id.eq(id)).select(TenantSong::as_select()).first(&mut conn).await?)
}

/// The live links among `ids`.
pub(crate) async fn live_among(mut conn: &Conn, tenant: TenantId, ids: &[Uuid]) -> Result<Vec<Uuid>, TxError> {
    let named = live(tenant).filter(tenant_songs::id.eq_any(ids.to_vec()));
    Ok(named.select(tenant_songs::id).load(&mut conn).await?)
}

/// How many of these songs are on a tenant's list.
pub(crate) async fn count_songs(mut conn: &Conn, tenant: TenantId, songs: &[Uuid]) -> Result<usize, TxError> {
    let links = live(tenant).filter(tenant_songs::song_id.eq_any(songs.to_vec())).select(tenant_songs::id);
    Ok(links.load::<Uuid>(&mut conn).await?.len())
}

/// Locks links, so that the durations which they show stay until the transaction ends.
pub(crate) async fn keep_durations(conn: &mut Conn, tenant: TenantId, ids: &[Uuid]) -> Result<(), TxError> {
    let _: Vec<Uuid> = tenant_songs::table
        .filter(of_tenant(tenant_songs::tenant_id, tenant))
        .filter(tenant_songs::id.eq_any(ids.to_vec()))
        .order(tenant_songs::id)
        .select(tenant_songs::id)
        .for_share()
        .load(conn)
        .await?;
    Ok(())
}

/// Approved live links among `ids`, with the duration of their songs.
pub(crate) async fn approved(
    mut conn: &Conn,
    tenant: TenantId,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, Option<i16>)>, TxError> {
    Ok(live(tenant)
        .filter(tenant_songs::id.eq_any(ids.to_vec()))
        .filter(tenant_songs::is_active)
        .select((tenant_songs::id, tenant_songs::duration))
        .load(&mut conn)
        .await?)
}

/// The link to a song, in any state.
pub(crate) async fn of_song(mut conn: &Conn, tenant: TenantId, song: Uuid) -> Result<Uuid, TxError> {
    Ok(tenant_songs::table
        .filter(of_tenant(tenant_songs::tenant_id, tenant))
        .filter(tenant_songs::song_id.eq(song))
        .select(tenant_songs::id)
        .first(&mut conn)
        .await?)
}
