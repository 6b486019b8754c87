use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, Window, contains_any, like_anywhere, merged, of_tenant, uncached};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::filters::{Filters, Key, Order, SortBy, Visibility, behind};
use super::search::{self, Hit, Stage, by_bitmaps, in_catalogue};
use crate::schema::{song_counts, songs};

/// The id under which GLOBAL songs are counted.
const GLOBAL: TenantId = TenantId(Uuid::nil());

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

pub(crate) async fn insert(conn: &mut Conn, row: &Song) -> Result<(), TxError> {
    diesel::insert_into(songs::table).values(row).execute(conn).await?;
    Ok(())
}

type Condition = Box<dyn BoxableExpression<songs::table, Pg, SqlType = Bool>>;

fn seen(catalogue: Catalogue, visibility: Option<Visibility>) -> Condition {
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

type Own = diesel::dsl::Filter<songs::table, Condition>;

/// A song of a tenant, or a GLOBAL one.
fn own(owner: Option<TenantId>, id: Uuid) -> diesel::dsl::Filter<Own, diesel::dsl::Eq<songs::id, Uuid>> {
    let of_owner: Condition = match owner {
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

/// The songs of a list that match the filters.
fn filtered(catalogue: Catalogue, filters: &Filters) -> songs::BoxedQuery<'static, Pg> {
    let seen =
        songs::table.filter(songs::deleted_at.is_null()).filter(seen(catalogue, filters.visibility)).into_boxed();
    let all = in_catalogue::conditions(filters).into_iter().fold(seen, |query, condition| query.filter(condition));
    if filters.artist.is_empty() { all } else { all.filter(contains_any(songs::artist_norm, &filters.artist)) }
}

/// The hits of a stage of a search among the songs that match the filters.
pub(crate) async fn hits(
    conn: &Conn,
    catalogue: Catalogue,
    filters: &Filters,
    stage: &Stage,
) -> Result<Vec<Hit>, TxError> {
    // Each visibility has indexes of its own, as for a page.
    let visibilities = match (catalogue, filters.visibility) {
        (Catalogue::TenantAndGlobal(_), None) => vec![Some(Visibility::Tenant), Some(Visibility::Global)],
        (_, one) => vec![one],
    };
    let mut all = Vec::new();
    for visibility in visibilities {
        let filters = Filters { visibility, ..filters.clone() };
        let query = uncached(in_catalogue::hits(filtered(catalogue, &filters), stage, with_part));
        let load = async |mut conn: &Conn| Ok(query.load::<Hit>(&mut conn).await?);
        all.extend(if stage.is_within() { by_bitmaps(conn, load).await? } else { load(conn).await? });
    }
    Ok(all)
}

/// True for songs of which title, album or artist contain this part.
fn with_part(part: &str) -> search::Condition<songs::table> {
    Box::new(in_catalogue::title_or_album_with(part).or(songs::artist_norm.like(like_anywhere(part))))
}

/// The number of songs of a list: the stored count when there is no filter except visibility.
pub(crate) async fn count(mut conn: &Conn, catalogue: Catalogue, filters: &Filters) -> Result<i64, TxError> {
    if !filters.plain_but_visibility() {
        return Ok(filtered(catalogue, filters).count().get_result(&mut conn).await?);
    }
    let own = |id: TenantId| [id.0].to_vec();
    let lists = match (catalogue, filters.visibility) {
        (Catalogue::Global, Some(Visibility::Tenant)) => Vec::new(),
        (Catalogue::Global, _) | (_, Some(Visibility::Global)) => own(GLOBAL),
        (Catalogue::TenantAndGlobal(id), Some(Visibility::Tenant)) => own(id),
        (Catalogue::TenantAndGlobal(id), None) => [id.0, GLOBAL.0].to_vec(),
    };
    let totals: Vec<i64> = song_counts::table
        .filter(song_counts::tenant_id.eq_any(lists))
        .select(song_counts::total)
        .load(&mut conn)
        .await?;
    Ok(totals.into_iter().sum())
}

type PageQuery = songs::BoxedQuery<'static, Pg, diesel::dsl::SqlTypeOf<diesel::dsl::AsSelect<Song, Pg>>>;

/// The rows of a query behind a number, which may be missing, and an id; those without a number come before all others.
macro_rules! behind_number {
    ($query:expr, $order:expr, $column:ident, $number:expr, $id:expr) => {
        match ($number, $order.descending) {
            (Some(number), true) => {
                let same = songs::$column.eq(number).and(songs::id.lt($id));
                $query.filter(songs::$column.is_null().or(songs::$column.lt(number)).or(same))
            }
            (None, true) => $query.filter(songs::$column.is_null()).filter(songs::id.lt($id)),
            (Some(number), false) => {
                let same = songs::$column.eq(number).and(songs::id.gt($id));
                $query.filter(songs::$column.gt(number).or(same))
            }
            (None, false) => $query.filter(songs::$column.is_not_null().or(songs::id.gt($id))),
        }
    };
}

/// The songs of a list behind `after`, in order, and the order in the names of columns.
fn ordered(catalogue: Catalogue, filters: &Filters, order: Order, after: Option<&Key>) -> (PageQuery, &'static str) {
    use songs as s;
    let mut query = filtered(catalogue, filters);
    query = match (after, order.by) {
        (Some(Key::Time(at, id)), _) => behind!(query, order, songs::created_at, *at, *id),
        (Some(Key::Text(text, id)), SortBy::Title) => behind!(query, order, songs::title_norm, text.clone(), *id),
        (Some(Key::Text(text, id)), _) => behind!(query, order, songs::artist_norm, text.clone(), *id),
        (Some(Key::Number(number, id)), SortBy::Duration) => behind_number!(query, order, duration, *number, *id),
        (Some(Key::Number(number, id)), _) => behind_number!(query, order, release_year, *number, *id),
        (Some(Key::Offset(_)) | None, _) => query,
    };
    let (query, order) = match (order.by, order.descending) {
        (SortBy::CreatedAt, true) => (query.order((s::created_at.desc(), s::id.desc())), "created_at DESC, id DESC"),
        (SortBy::CreatedAt, false) => (query.order((s::created_at, s::id)), "created_at, id"),
        (SortBy::Title, true) => (query.order((s::title_norm.desc(), s::id.desc())), "title_norm DESC, id DESC"),
        (SortBy::Title, false) => (query.order((s::title_norm, s::id)), "title_norm, id"),
        (SortBy::Artist, true) => (query.order((s::artist_norm.desc(), s::id.desc())), "artist_norm DESC, id DESC"),
        (SortBy::Artist, false) => (query.order((s::artist_norm, s::id)), "artist_norm, id"),
        (SortBy::ReleaseYear, true) => {
            (query.order((s::release_year.desc().nulls_last(), s::id.desc())), "release_year DESC NULLS LAST, id DESC")
        }
        (SortBy::ReleaseYear, false) => {
            (query.order((s::release_year.asc().nulls_first(), s::id)), "release_year NULLS FIRST, id")
        }
        (SortBy::Duration, true) => {
            (query.order((s::duration.desc().nulls_last(), s::id.desc())), "duration DESC NULLS LAST, id DESC")
        }
        (SortBy::Duration, false) => {
            (query.order((s::duration.asc().nulls_first(), s::id)), "duration NULLS FIRST, id")
        }
    };
    (query.select(Song::as_select()), order)
}

/// One page: rows after `after` when there is one, else from the window's offset. When the number of rows in the list is known,
/// it is read from the end that is nearer.
pub(crate) async fn list(
    mut conn: &Conn,
    catalogue: Catalogue,
    filters: &Filters,
    order: Order,
    after: Option<&Key>,
    window: Window,
    count: Option<i64>,
) -> Result<Vec<Song>, TxError> {
    let mirrored = count.and_then(|count| window.mirrored(count));
    let (order, window) = mirrored.map_or((order, window), |mirrored| (order.reversed(), mirrored));
    let of = |visibility| {
        let filters = Filters { visibility: Some(visibility), ..filters.clone() };
        ordered(catalogue, &filters, order, after)
    };
    let mut rows: Vec<Song> = match (catalogue, filters.visibility) {
        (Catalogue::TenantAndGlobal(_), None) => {
            let ((own, names), (global, _)) = (of(Visibility::Tenant), of(Visibility::Global));
            merged([own, global], names, window).load(&mut conn).await?
        }
        _ => window.of(ordered(catalogue, filters, order, after).0).load(&mut conn).await?,
    };
    rows.truncate(usize::try_from(window.rows).unwrap_or(usize::MAX));
    if mirrored.is_some() {
        rows.reverse();
    }
    Ok(rows)
}
