use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, like_anywhere, tenant};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::search::{Filters, Key, Order, SortBy, Visibility};
use crate::schema::{genres, songs};

diesel::infix_operator!(Similar, " % ", backend: Pg);
diesel::infix_operator!(WordSimilar, " <% ", backend: Pg);

#[diesel::declare_sql_function]
extern "SQL" {
    /// How alike two texts are by their trigrams, 0 to 1.
    fn similarity(a: diesel::sql_types::Text, b: diesel::sql_types::Text) -> diesel::sql_types::Float;
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = songs)]
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
}

/// Which songs a caller may see: GLOBAL ones, with a tenant's own or without.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Catalogue {
    Global,
    TenantAndGlobal(TenantId),
}

pub(crate) async fn insert(conn: &mut Conn, row: &Song) -> Result<(), TxError> {
    diesel::insert_into(songs::table).values(row).execute(conn).await?;
    Ok(())
}

pub(crate) type Condition = Box<dyn BoxableExpression<songs::table, Pg, SqlType = Bool>>;

fn seen(catalogue: Catalogue, visibility: Option<Visibility>) -> Condition {
    let global = || songs::tenant_id.is_null();
    match (catalogue, visibility) {
        (Catalogue::Global, None | Some(Visibility::Global))
        | (Catalogue::TenantAndGlobal(_), Some(Visibility::Global)) => Box::new(global()),
        (Catalogue::Global, Some(Visibility::Tenant)) => Box::new(false.into_sql::<Bool>()),
        (Catalogue::TenantAndGlobal(id), Some(Visibility::Tenant)) => {
            Box::new(tenant::of(songs::tenant_id, id).assume_not_null())
        }
        (Catalogue::TenantAndGlobal(id), None) => {
            Box::new(tenant::of(songs::tenant_id, id).assume_not_null().or(global()))
        }
    }
}

pub(crate) async fn find(conn: &mut Conn, catalogue: Catalogue, id: Uuid) -> Result<(Song, String), TxError> {
    let live = songs::table.filter(songs::id.eq(id)).filter(songs::deleted_at.is_null());
    let song: Song = live.filter(seen(catalogue, None)).select(Song::as_select()).first(conn).await?;
    let genre = genres::table.find(song.genre_id).select(genres::name).first(conn).await?;
    Ok((song, genre))
}

/// The live song of a scope with this compared form.
pub(crate) async fn find_same(
    conn: &mut Conn,
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
        Some(id) => same.filter(tenant::of(songs::tenant_id, id)),
        None => same.filter(songs::tenant_id.is_null()),
    };
    Ok(same.first(conn).await.optional()?)
}

fn any_of(conditions: impl Iterator<Item = Condition>) -> Condition {
    conditions.fold(Box::new(false.into_sql::<Bool>()), |any, one| Box::new(any.or(one)))
}

/// A list, filtered.
fn filtered(catalogue: Catalogue, filters: &Filters) -> songs::BoxedQuery<'static, Pg> {
    let mut query =
        songs::table.filter(songs::deleted_at.is_null()).filter(seen(catalogue, filters.visibility)).into_boxed();
    if !filters.title.is_empty() {
        query = query.filter(any_of(
            filters.title.iter().map(|v| -> Condition { Box::new(songs::title_norm.like(like_anywhere(v))) }),
        ));
    }
    if !filters.artist.is_empty() {
        query = query.filter(any_of(
            filters.artist.iter().map(|v| -> Condition { Box::new(songs::artist_norm.like(like_anywhere(v))) }),
        ));
    }
    if !filters.album.is_empty() {
        query = query.filter(any_of(
            filters.album.iter().map(|v| -> Condition { Box::new(songs::album_norm.like(like_anywhere(v))) }),
        ));
    }
    if let Some(ids) = &filters.genres {
        query = query.filter(songs::genre_id.eq_any(ids.clone()));
    }
    if let Some(q) = &filters.q {
        let part = like_anywhere(q);
        let holds = songs::title_norm
            .like(part.clone())
            .or(songs::artist_norm.like(part.clone()))
            .or(songs::album_norm.like(part));
        let similar = Similar::new(songs::title_norm, q.clone().into_sql::<diesel::sql_types::Text>());
        let within = WordSimilar::new(q.clone().into_sql::<diesel::sql_types::Text>(), songs::title_norm);
        query = query.filter(holds.or(similar).or(within));
    }
    query
}

pub(crate) async fn count(conn: &mut Conn, catalogue: Catalogue, filters: &Filters) -> Result<i64, TxError> {
    Ok(filtered(catalogue, filters).count().get_result(conn).await?)
}

/// One page: rows after `after` when there is one, else from `offset`.
pub(crate) async fn list(
    conn: &mut Conn,
    catalogue: Catalogue,
    filters: &Filters,
    order: Order,
    after: Option<&Key>,
    (limit, offset): (i64, i64),
) -> Result<Vec<(Song, String)>, TxError> {
    let mut query = filtered(catalogue, filters);
    let mut skip = offset;
    match after {
        Some(Key::Time(at, id)) if order.descending => {
            query = query.filter(songs::created_at.lt(*at).or(songs::created_at.eq(*at).and(songs::id.lt(*id))));
        }
        Some(Key::Time(at, id)) => {
            query = query.filter(songs::created_at.gt(*at).or(songs::created_at.eq(*at).and(songs::id.gt(*id))));
        }
        Some(Key::Offset(rows)) => skip = *rows,
        _ => {}
    }
    query = match (filters.q.as_ref(), order.by, order.descending) {
        // Exact titles first, then beginnings, then what is most alike.
        (Some(q), _, _) => query.order((
            songs::title_norm.eq(q.clone()).desc(),
            songs::title_norm.like(format!("{q}%")).desc(),
            similarity(songs::title_norm, q.clone()).desc(),
            songs::id.asc(),
        )),
        (None, SortBy::CreatedAt, true) => query.order((songs::created_at.desc(), songs::id.desc())),
        (None, SortBy::CreatedAt, false) => query.order((songs::created_at.asc(), songs::id.asc())),
        (None, SortBy::Title, true) => query.order((songs::title_norm.desc(), songs::id.desc())),
        (None, SortBy::Title, false) => query.order((songs::title_norm.asc(), songs::id.asc())),
        (None, SortBy::Artist, true) => query.order((songs::artist_norm.desc(), songs::id.desc())),
        (None, SortBy::Artist, false) => query.order((songs::artist_norm.asc(), songs::id.asc())),
        (None, SortBy::ReleaseYear, true) => query.order((songs::release_year.desc().nulls_last(), songs::id.desc())),
        (None, SortBy::ReleaseYear, false) => query.order((songs::release_year.asc().nulls_first(), songs::id.asc())),
        (None, SortBy::Duration, true) => query.order((songs::duration.desc().nulls_last(), songs::id.desc())),
        (None, SortBy::Duration, false) => query.order((songs::duration.asc().nulls_first(), songs::id.asc())),
    };
    let rows: Vec<Song> = query.limit(limit).offset(skip).select(Song::as_select()).load(conn).await?;
    with_genres(conn, rows).await
}

async fn with_genres(conn: &mut Conn, rows: Vec<Song>) -> Result<Vec<(Song, String)>, TxError> {
    let names: Vec<(Uuid, String)> = genres::table
        .filter(genres::id.eq_any(rows.iter().map(|song| song.genre_id).collect::<Vec<_>>()))
        .select((genres::id, genres::name))
        .load(conn)
        .await?;
    let name =
        |id: Uuid| names.iter().find(|(known, _)| *known == id).map(|(_, name)| name.clone()).unwrap_or_default();
    Ok(rows.into_iter().map(|song| (name(song.genre_id), song)).map(|(name, song)| (song, name)).collect())
}
