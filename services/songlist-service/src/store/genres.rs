use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::page::Page;
use kit_pg::{Conn, TxError, contains_any};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::schema::{genres, songs};

#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset, Serialize, Deserialize)]
#[diesel(table_name = genres)]
pub(crate) struct Genre {
    pub id: Uuid,
    pub name: String,
    pub name_norm: String,
    pub description: String,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

impl Genre {
    /// A new row.
    pub(crate) fn new(name: String, name_norm: String, description: String, now: DateTime<Utc>) -> Self {
        let id = kit::ids::new_v7();
        Self { id, name, name_norm, description, version: 1, created_at: now, updated_at: now, deleted_at: None }
    }
}

pub(crate) async fn insert(conn: &mut Conn, row: &Genre) -> Result<(), TxError> {
    diesel::insert_into(genres::table).values(row).execute(conn).await?;
    Ok(())
}

/// Inserts a genre unless a live genre has the name; true when it was inserted.
pub(crate) async fn insert_if_missing(conn: &mut Conn, row: &Genre) -> Result<bool, TxError> {
    Ok(diesel::insert_into(genres::table).values(row).on_conflict_do_nothing().execute(conn).await? == 1)
}

pub(crate) async fn find(mut conn: &Conn, id: Uuid) -> Result<Genre, TxError> {
    let live = genres::table.find(id).filter(genres::deleted_at.is_null());
    Ok(live.select(Genre::as_select()).first(&mut conn).await?)
}

/// Locks a live genre. Songs that refer to it are inserted before the lock or after it, never meanwhile.
pub(crate) async fn find_for_update(conn: &mut Conn, id: Uuid) -> Result<Genre, TxError> {
    let live = genres::table.filter(genres::id.eq(id)).filter(genres::deleted_at.is_null());
    Ok(live.select(Genre::as_select()).for_update().first(conn).await?)
}

/// Locks a live genre for a change, after which songs refer to it as before: they do not wait.
pub(crate) async fn find_for_change(conn: &mut Conn, id: Uuid) -> Result<Genre, TxError> {
    let live = genres::table.filter(genres::id.eq(id)).filter(genres::deleted_at.is_null());
    Ok(live.select(Genre::as_select()).for_no_key_update().first(conn).await?)
}

pub(crate) async fn update(conn: &mut Conn, row: &Genre) -> Result<(), TxError> {
    diesel::update(genres::table.find(row.id)).set(row).execute(conn).await?;
    Ok(())
}

pub(crate) async fn delete(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> Result<(), TxError> {
    let deleted = (genres::deleted_at.eq(now), genres::updated_at.eq(now), genres::version.eq(genres::version + 1));
    diesel::update(genres::table.find(id)).set(deleted).execute(conn).await?;
    Ok(())
}

/// The live genres among `ids`.
pub(crate) async fn live_among(mut conn: &Conn, ids: &[Uuid]) -> Result<Vec<Uuid>, TxError> {
    let live = genres::table.filter(genres::id.eq_any(ids.to_vec())).filter(genres::deleted_at.is_null());
    Ok(live.select(genres::id).load(&mut conn).await?)
}

pub(crate) async fn find_by_name(mut conn: &Conn, name_norm: &str) -> Result<Option<Genre>, TxError> {
    let live = genres::table.filter(genres::name_norm.eq(name_norm)).filter(genres::deleted_at.is_null());
    Ok(live.select(Genre::as_select()).first(&mut conn).await.optional()?)
}

fn named(names: &[String]) -> genres::BoxedQuery<'static, Pg> {
    let live = genres::table.filter(genres::deleted_at.is_null()).into_boxed();
    if names.is_empty() { live } else { live.filter(contains_any(genres::name_norm, names)) }
}

/// All genres: id, name, compared name, and whether the genre is live.
pub(crate) async fn names(mut conn: &Conn) -> Result<Vec<(Uuid, String, String, bool)>, TxError> {
    let is_live = genres::deleted_at.is_null();
    Ok(genres::table.select((genres::id, genres::name, genres::name_norm, is_live)).load(&mut conn).await?)
}

pub(crate) async fn count(mut conn: &Conn, names: &[String]) -> Result<i64, TxError> {
    Ok(named(names).count().get_result(&mut conn).await?)
}

fn page_of(names: &[String], page: &Page) -> genres::BoxedQuery<'static, Pg> {
    let in_order = named(names).order((genres::name_norm, genres::id));
    in_order.limit(page.size.into()).offset(page.offset())
}

pub(crate) async fn list(mut conn: &Conn, names: &[String], page: &Page) -> Result<Vec<Genre>, TxError> {
    Ok(page_of(names, page).select(Genre::as_select()).load(&mut conn).await?)
}

/// The number of live songs per genre on a page, among the songs visible in the transaction's scope. Genres without
/// songs are missing.
pub(crate) async fn song_counts(mut conn: &Conn, names: &[String], page: &Page) -> Result<Vec<(Uuid, i64)>, TxError> {
    Ok(songs::table
        .filter(songs::genre_id.eq_any(page_of(names, page).select(genres::id)))
        .filter(songs::deleted_at.is_null())
        .group_by(songs::genre_id)
        .select((songs::genre_id, diesel::dsl::count_star()))
        .load(&mut conn)
        .await?)
}

/// The number of live songs of one genre, among the songs visible in the transaction's scope.
pub(crate) async fn song_count(mut conn: &Conn, id: Uuid) -> Result<i64, TxError> {
    let live = songs::table.filter(songs::genre_id.eq(id)).filter(songs::deleted_at.is_null());
    Ok(live.count().get_result(&mut conn).await?)
}
