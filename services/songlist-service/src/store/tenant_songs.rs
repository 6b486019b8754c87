use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, of_tenant};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::filters::{Filters, Key, Order, SortBy, Visibility};
use super::search::on_list;
use super::songs::Song;
use super::tenant_song_counts;
use crate::schema::{genres, songs, tenant_songs};

/// A link of a tenant to a song.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = tenant_songs)]
pub(crate) struct Link {
    pub id: Uuid,
    pub tenant_id: Uuid,
    pub song_id: Uuid,
    pub is_active: bool,
    pub title_norm: String,
    pub artist_norm: String,
    pub album_norm: String,
    pub genre_id: Uuid,
    pub release_year: i16,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

/// A link with its song and the name of the genre.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TenantSong {
    pub link: Link,
    pub song: Song,
    pub genre: String,
}

impl Link {
    /// A new link to a song.
    pub(crate) fn new(tenant: TenantId, song: &Song, is_active: bool, now: DateTime<Utc>) -> Self {
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
            version: 1,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }
}

/// Inserts links, reviving removed ones; links that are live stay as they are and are not returned.
pub(crate) async fn link_all(
    conn: &mut Conn,
    id: TenantId,
    links: &[Link],
    now: DateTime<Utc>,
) -> Result<Vec<Link>, TxError> {
    use diesel::upsert::excluded;
    let upsert = diesel::insert_into(tenant_songs::table)
        .values(links)
        .on_conflict((tenant_songs::tenant_id, tenant_songs::song_id))
        .do_update()
        .set((
            tenant_songs::is_active.eq(excluded(tenant_songs::is_active)),
            tenant_songs::deleted_at.eq(None::<DateTime<Utc>>),
            tenant_songs::version.eq(tenant_songs::version + 1),
            tenant_songs::updated_at.eq(now),
        ));
    let removed = diesel::query_dsl::methods::FilterDsl::filter(upsert, tenant_songs::deleted_at.is_not_null());
    let linked: Vec<Link> = removed.returning(Link::as_returning()).get_results(conn).await?;
    let approved = linked.iter().filter(|link| link.is_active).count();
    tenant_song_counts::add(conn, id, i64::try_from(linked.len()).unwrap_or(0), i64::try_from(approved).unwrap_or(0))
        .await?;
    Ok(linked)
}

/// Approves or withdraws a link; `None` when it is in that state already.
pub(crate) async fn set_active(
    conn: &mut Conn,
    tenant: TenantId,
    id: Uuid,
    active: bool,
    now: DateTime<Utc>,
) -> Result<Option<Link>, TxError> {
    let other_way = tenant_songs::table
        .filter(of_tenant(tenant_songs::tenant_id, tenant))
        .filter(tenant_songs::id.eq(id))
        .filter(tenant_songs::deleted_at.is_null())
        .filter(tenant_songs::is_active.ne(active));
    let changed: Option<Link> = diesel::update(other_way)
        .set((
            tenant_songs::is_active.eq(active),
            tenant_songs::version.eq(tenant_songs::version + 1),
            tenant_songs::updated_at.eq(now),
        ))
        .returning(Link::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    if changed.is_some() {
        tenant_song_counts::add(conn, tenant, 0, if active { 1 } else { -1 }).await?;
    }
    Ok(changed)
}

type Query = diesel::dsl::IntoBoxed<'static, diesel::dsl::InnerJoin<tenant_songs::table, songs::table>, Pg>;

/// The live links of a tenant to live songs.
fn live(id: TenantId) -> Query {
    tenant_songs::table
        .inner_join(songs::table)
        .into_boxed()
        .filter(of_tenant(tenant_songs::tenant_id, id))
        .filter(tenant_songs::deleted_at.is_null())
        .filter(songs::deleted_at.is_null())
}

/// The links that a list shows.
fn filtered(id: TenantId, filters: &Filters) -> Query {
    let mut query = on_list::conditions(filters).into_iter().fold(live(id), |query, condition| query.filter(condition));
    query = match filters.visibility {
        Some(Visibility::Global) => query.filter(songs::tenant_id.is_null()),
        Some(Visibility::Tenant) => query.filter(songs::tenant_id.is_not_null()),
        None => query,
    };
    if let Some(active) = filters.is_active {
        query = query.filter(tenant_songs::is_active.eq(active));
    }
    query
}

/// How many rows a list has: the kept count where no filter but approval is set.
pub(crate) async fn count(conn: &mut Conn, id: TenantId, filters: &Filters) -> Result<i64, TxError> {
    if filters.plain() {
        return tenant_song_counts::kept(conn, id, filters.is_active).await;
    }
    Ok(filtered(id, filters).count().get_result(conn).await?)
}

/// One page: rows after `after` when there is one, else from `offset`.
pub(crate) async fn list(
    conn: &mut Conn,
    id: TenantId,
    filters: &Filters,
    order: Order,
    after: Option<&Key>,
    (limit, offset): (i64, i64),
) -> Result<Vec<TenantSong>, TxError> {
    use tenant_songs as t;
    if filters.plain() {
        // One plan fits every tenant here: the page in order from its index. With LIMIT as a parameter Postgres would plan each
        // page anew, which takes three times as long as reading it.
        diesel::sql_query("SET LOCAL plan_cache_mode = force_generic_plan").execute(conn).await?;
    }
    let mut query = filtered(id, filters);
    let mut skip = offset;
    match after {
        Some(Key::Time(at, id)) if order.descending => {
            query = query.filter(t::created_at.lt(*at).or(t::created_at.eq(*at).and(t::id.lt(*id))));
        }
        Some(Key::Time(at, id)) => {
            query = query.filter(t::created_at.gt(*at).or(t::created_at.eq(*at).and(t::id.gt(*id))));
        }
        Some(Key::Offset(rows)) => skip = *rows,
        None => {}
    }
    query = match (filters.q.as_ref(), order.by, order.descending) {
        (Some(q), _, _) => {
            let (itself, begins, likeness) = on_list::rank(q);
            query.order((itself.desc(), begins.desc(), likeness.desc(), t::id.asc()))
        }
        (None, SortBy::Title, true) => query.order((t::title_norm.desc(), t::id.desc())),
        (None, SortBy::Title, false) => query.order((t::title_norm.asc(), t::id.asc())),
        (None, SortBy::Artist, true) => query.order((t::artist_norm.desc(), t::id.desc())),
        (None, SortBy::Artist, false) => query.order((t::artist_norm.asc(), t::id.asc())),
        (None, SortBy::ReleaseYear, true) => query.order((t::release_year.desc(), t::id.desc())),
        (None, SortBy::ReleaseYear, false) => query.order((t::release_year.asc(), t::id.asc())),
        (None, SortBy::CreatedAt | SortBy::Duration, true) => query.order((t::created_at.desc(), t::id.desc())),
        (None, SortBy::CreatedAt | SortBy::Duration, false) => query.order((t::created_at.asc(), t::id.asc())),
    };
    let rows: Vec<(Link, Song)> =
        query.limit(limit).offset(skip).select((Link::as_select(), Song::as_select())).load(conn).await?;
    with_genres(conn, rows).await
}

/// A live link by id.
pub(crate) async fn find(conn: &mut Conn, tenant: TenantId, id: Uuid) -> Result<TenantSong, TxError> {
    let row =
        live(tenant).filter(tenant_songs::id.eq(id)).select((Link::as_select(), Song::as_select())).first(conn).await?;
    let mut found = with_genres(conn, vec![row]).await?;
    found.pop().ok_or_else(|| kit::Error::not_found().into())
}

/// Approved live links among `ids`, with the length of their songs.
pub(crate) async fn approved(
    conn: &mut Conn,
    tenant: TenantId,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, Option<i16>)>, TxError> {
    Ok(live(tenant)
        .filter(tenant_songs::id.eq_any(ids.to_vec()))
        .filter(tenant_songs::is_active.eq(true))
        .select((tenant_songs::id, songs::duration))
        .load(conn)
        .await?)
}

async fn with_genres(conn: &mut Conn, rows: Vec<(Link, Song)>) -> Result<Vec<TenantSong>, TxError> {
    let mut ids: Vec<Uuid> = rows.iter().map(|(_, song)| song.genre_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let names: Vec<(Uuid, String)> =
        genres::table.filter(genres::id.eq_any(ids)).select((genres::id, genres::name)).load(conn).await?;
    let name =
        |id: Uuid| names.iter().find(|(known, _)| *known == id).map(|(_, name)| name.clone()).unwrap_or_default();
    Ok(rows.into_iter().map(|(link, song)| TenantSong { genre: name(song.genre_id), link, song }).collect())
}

/// Approves the live link to a song, when it was withdrawn.
pub(crate) async fn approve_song(
    conn: &mut Conn,
    tenant: TenantId,
    song: Uuid,
    now: DateTime<Utc>,
) -> Result<(), TxError> {
    let link: Uuid = tenant_songs::table
        .filter(of_tenant(tenant_songs::tenant_id, tenant))
        .filter(tenant_songs::song_id.eq(song))
        .select(tenant_songs::id)
        .first(conn)
        .await?;
    set_active(conn, tenant, link, true, now).await?;
    Ok(())
}
