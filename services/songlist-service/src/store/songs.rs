use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, of_tenant};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::filters::{Key, SortBy, Visibility};
use super::samples::Sampled;
use super::search::Condition;
use crate::schema::songs;

#[derive(Clone, Debug, Queryable, QueryableByName, Selectable, Insertable, AsChangeset, Serialize, Deserialize)]
#[diesel(table_name = songs, treat_none_as_null = true)]
pub(crate) struct Song {
    pub id: Uuid,
    pub tenant_id: Option<Uuid>,
    pub user_id: Option<Uuid>,
    pub title: String,
    pub artist: String,
    pub album: String,
    pub title_norm: String,
    pub artist_norm: String,
    pub album_norm: String,
    pub genre_id: Uuid,
    pub duration: Option<i16>,
    pub release_year: Option<i16>,
    pub artwork: Option<String>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
    /// What a search looks through. Answers that are kept for repeated requests do not need it.
    #[serde(skip)]
    pub words: String,
}

impl Song {
    /// Its key in a list with this order.
    pub(crate) fn key(&self, by: SortBy) -> Key {
        match by {
            SortBy::CreatedAt => Key::Time(self.created_at, self.id),
            SortBy::Title => Key::Text(self.title_norm.clone(), self.id),
            SortBy::Artist => Key::Text(self.artist_norm.clone(), self.id),
            SortBy::ReleaseYear => Key::Number(self.release_year, self.id),
            SortBy::Duration => Key::Number(self.duration, self.id),
        }
    }

    /// True when everything that may be changed is the same.
    pub(crate) fn is_as(&self, other: &Song) -> bool {
        (&self.title, &self.artist, &self.album) == (&other.title, &other.artist, &other.album)
            && self.genre_id == other.genre_id
            && (self.duration, self.release_year) == (other.duration, other.release_year)
    }
}

/// Which songs a caller may see: GLOBAL ones only, or also those of a tenant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Catalogue {
    Global,
    TenantAndGlobal(TenantId),
}

/// The id under which GLOBAL songs are counted.
const GLOBAL: Uuid = Uuid::nil();

impl Catalogue {
    /// The ids under which its songs are counted.
    pub(super) fn counted_under(self, visibility: Option<Visibility>) -> Vec<Uuid> {
        match (self, visibility) {
            (Self::Global, Some(Visibility::Tenant)) => Vec::new(),
            (Self::Global, _) | (_, Some(Visibility::Global)) => vec![GLOBAL],
            (Self::TenantAndGlobal(id), Some(Visibility::Tenant)) => vec![id.0],
            (Self::TenantAndGlobal(id), None) => vec![id.0, GLOBAL],
        }
    }
}

pub(crate) async fn insert(conn: &mut Conn, row: &Song) -> Result<(), TxError> {
    diesel::insert_into(songs::table).values(row).execute(conn).await?;
    Ok(())
}

/// True for songs of a catalogue, and of one visibility when it is wanted.
pub(super) fn seen(catalogue: Catalogue, visibility: Option<Visibility>) -> Condition<songs::table> {
    let global = || songs::tenant_id.is_null();
    match (catalogue, visibility) {
        (Catalogue::Global, None | Some(Visibility::Global))
        | (Catalogue::TenantAndGlobal(_), Some(Visibility::Global)) => Box::new(global()),
        (Catalogue::Global, Some(Visibility::Tenant)) => Box::new(false.into_sql::<Bool>()),
        (Catalogue::TenantAndGlobal(id), Some(Visibility::Tenant)) => {
            Box::new(of_tenant(songs::tenant_id, id).assume_not_null())
        }
        (Catalogue::TenantAndGlobal(id), None) => {
            Box::new(of_tenant(songs::tenant_id, id).assume_not_null().or(global()))
        }
    }
}

pub(crate) async fn find(mut conn: &Conn, catalogue: Catalogue, id: Uuid) -> Result<Song, TxError> {
    let live = songs::table.filter(songs::id.eq(id)).filter(songs::deleted_at.is_null());
    Ok(live.filter(seen(catalogue, None)).select(Song::as_select()).first(&mut conn).await?)
}

/// Locks a live song of a tenant, or a GLOBAL one. Whoever links it meanwhile waits, because its lock conflicts with that of a
/// reference: so its change sees every link.
pub(crate) async fn find_for_update(conn: &mut Conn, owner: Option<TenantId>, id: Uuid) -> Result<Song, TxError> {
    let live = songs::table.filter(songs::id.eq(id)).filter(songs::deleted_at.is_null());
    let row = match owner {
        Some(tenant) => {
            let own = live.filter(of_tenant(songs::tenant_id, tenant));
            own.select(Song::as_select()).for_update().first(conn).await?
        }
        None => live.filter(songs::tenant_id.is_null()).select(Song::as_select()).for_update().first(conn).await?,
    };
    Ok(row)
}

/// A song by id, whoever it belongs to, also a deleted one: for the worker, which makes lists follow songs.
pub(crate) async fn find_any(mut conn: &Conn, id: Uuid) -> Result<Song, TxError> {
    Ok(songs::table.find(id).select(Song::as_select()).first(&mut conn).await?)
}

/// True when a live song shows this image.
pub(crate) async fn shows(mut conn: &Conn, id: Uuid, artwork: &str) -> Result<bool, TxError> {
    let live = songs::table.filter(songs::id.eq(id)).filter(songs::deleted_at.is_null());
    let shown = live.filter(songs::artwork.eq(artwork.to_owned()));
    Ok(diesel::select(diesel::dsl::exists(shown)).get_result(&mut conn).await?)
}

/// The live songs among `ids`.
pub(crate) async fn find_many(mut conn: &Conn, catalogue: Catalogue, ids: &[Uuid]) -> Result<Vec<Song>, TxError> {
    let named = songs::table.filter(songs::id.eq_any(ids.to_vec())).filter(songs::deleted_at.is_null());
    Ok(named.filter(seen(catalogue, None)).select(Song::as_select()).load(&mut conn).await?)
}

/// The ids of live songs among `ids`.
pub(crate) async fn ids_among(mut conn: &Conn, catalogue: Catalogue, ids: &[Uuid]) -> Result<Vec<Uuid>, TxError> {
    let named = songs::table.filter(songs::id.eq_any(ids.to_vec())).filter(songs::deleted_at.is_null());
    Ok(named.filter(seen(catalogue, None)).select(songs::id).load(&mut conn).await?)
}

/// The songs that are seen among those of seventy blocks of the table, which has some thirty in each; always the same ones.
pub(super) async fn sample(
    mut conn: &Conn,
    catalogue: Catalogue,
    visibility: Option<Visibility>,
) -> Result<Vec<Sampled>, TxError> {
    const SAMPLE: &str = "
        SELECT title_norm, artist_norm, album_norm, genre_id, tenant_id IS NULL AS is_global, TRUE AS is_active
        FROM songs TABLESAMPLE SYSTEM (
            (SELECT least(100, 100 * 70 * 8192.0 / greatest(pg_relation_size('songs'), 1)))
        ) REPEATABLE (0)
        WHERE deleted_at IS NULL AND ";
    let of = |seen: &str| diesel::sql_query(format!("{SAMPLE}{seen}"));
    Ok(match (catalogue, visibility) {
        (Catalogue::Global, _) | (_, Some(Visibility::Global)) => of("tenant_id IS NULL").load(&mut conn).await?,
        (Catalogue::TenantAndGlobal(tenant), visibility) => {
            let own = "tenant_id = $1";
            let seen = if visibility.is_some() { own.to_owned() } else { format!("({own} OR tenant_id IS NULL)") };
            of(&seen).bind::<diesel::sql_types::Uuid, _>(tenant.0).load(&mut conn).await?
        }
    })
}

/// The ids of live songs of these genres, at most `limit`.
pub(crate) async fn ids_of_genres(
    mut conn: &Conn,
    catalogue: Catalogue,
    genres: &[Uuid],
    limit: i64,
) -> Result<Vec<Uuid>, TxError> {
    if genres.is_empty() {
        return Ok(Vec::new());
    }
    let of_genre = songs::table.filter(songs::genre_id.eq_any(genres.to_vec())).filter(songs::deleted_at.is_null());
    Ok(of_genre.filter(seen(catalogue, None)).limit(limit).select(songs::id).load(&mut conn).await?)
}

/// The ids of live songs by these artists, at most `limit`, each with the compared form of its artist.
pub(crate) async fn ids_by_artists(
    mut conn: &Conn,
    catalogue: Catalogue,
    artists: &[String],
    limit: i64,
) -> Result<Vec<(Uuid, String)>, TxError> {
    if artists.is_empty() {
        return Ok(Vec::new());
    }
    let by_artist =
        songs::table.filter(songs::artist_norm.eq_any(artists.to_vec())).filter(songs::deleted_at.is_null());
    let columns = (songs::id, songs::artist_norm);
    Ok(by_artist.filter(seen(catalogue, None)).limit(limit).select(columns).load(&mut conn).await?)
}

type Own = diesel::dsl::Filter<songs::table, Condition<songs::table>>;

/// A song of a tenant, or a GLOBAL one.
fn own(owner: Option<TenantId>, id: Uuid) -> diesel::dsl::Filter<Own, diesel::dsl::Eq<songs::id, Uuid>> {
    let of_owner: Condition<songs::table> = match owner {
        Some(tenant) => Box::new(of_tenant(songs::tenant_id, tenant).assume_not_null()),
        None => Box::new(songs::tenant_id.is_null()),
    };
    songs::table.filter(of_owner).filter(songs::id.eq(id))
}

/// Stores a song that `find_for_update` has locked.
pub(crate) async fn update(conn: &mut Conn, owner: Option<TenantId>, song: &Song) -> Result<(), TxError> {
    diesel::update(own(owner, song.id)).set(song).execute(conn).await?;
    Ok(())
}

/// Deletes a song.
pub(crate) async fn delete(
    conn: &mut Conn,
    owner: Option<TenantId>,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), TxError> {
    let deleted = (songs::deleted_at.eq(now), songs::updated_at.eq(now), songs::version.eq(songs::version + 1));
    diesel::update(own(owner, id)).set(deleted).execute(conn).await?;
    Ok(())
}

/// The live song with this compared form, among GLOBAL songs or those of a tenant.
pub(crate) async fn find_same(
    mut conn: &Conn,
    owner: Option<TenantId>,
    title: &str,
    artist: &str,
    album: &str,
) -> Result<Option<Uuid>, TxError> {
    let same = songs::table
        .filter(songs::title_norm.eq(title))
        .filter(songs::artist_norm.eq(artist))
        .filter(songs::album_norm.eq(album))
        .filter(songs::deleted_at.is_null())
        .select(songs::id)
        .into_boxed();
    let same = match owner {
        Some(id) => same.filter(of_tenant(songs::tenant_id, id)),
        None => same.filter(songs::tenant_id.is_null()),
    };
    Ok(same.first(&mut conn).await.optional()?)
}
