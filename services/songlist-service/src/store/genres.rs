use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::page::Page;
use kit_pg::{Conn, TxError, contains_any};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::songs::Catalogue;
use crate::schema::{genre_song_counts, genres, songs};

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

/// The number of live songs of a catalogue per genre on a page. Genres without songs are missing.
pub(crate) async fn song_counts(
    mut conn: &Conn,
    catalogue: Catalogue,
    names: &[String],
    page: &Page,
) -> Result<HashMap<Uuid, i64>, TxError> {
    let of_page = genre_song_counts::genre_id.eq_any(page_of(names, page).select(genres::id));
    let rows = counted(catalogue).filter(of_page).select((genre_song_counts::genre_id, genre_song_counts::total));
    let mut counts = HashMap::new();
    for (genre, total) in rows.load::<(Uuid, i64)>(&mut conn).await? {
        *counts.entry(genre).or_default() += total;
    }
    Ok(counts)
}

/// The number of live songs of a catalogue that have this genre.
pub(crate) async fn song_count(mut conn: &Conn, catalogue: Catalogue, id: Uuid) -> Result<i64, TxError> {
    let of_genre = counted(catalogue).filter(genre_song_counts::genre_id.eq(id)).select(genre_song_counts::total);
    Ok(of_genre.load::<i64>(&mut conn).await?.into_iter().sum())
}

fn counted(catalogue: Catalogue) -> genre_song_counts::BoxedQuery<'static, Pg> {
    genre_song_counts::table.filter(genre_song_counts::tenant_id.eq_any(catalogue.counted_under(None))).into_boxed()
}

/// The number of live songs that have this genre, among those that the transaction's scope sees. They are counted one by one.
pub(crate) async fn songs_of(mut conn: &Conn, id: Uuid) -> Result<i64, TxError> {
    let live = songs::table.filter(songs::genre_id.eq(id)).filter(songs::deleted_at.is_null());
    Ok(live.count().get_result(&mut conn).await?)
}

#[cfg(test)]
mod tests {
    use kit::ids::TenantId;
    use kit_pg::{Pool, Scope};

    use super::*;
    use crate::generate;

    #[tokio::test]
    async fn songs_are_counted_by_genre_for_each_catalogue_whichever_statement_changes_them() {
        let [tenant, other] = [TenantId::new(), TenantId::new()];
        let wanted = generate::Catalogue { songs: 2_000, links: 2_500, tenants: vec![tenant.0, other.0], seed: 5 };
        let (db, superuser) = generate::tests::generated(&wanted).await;
        let pool = Pool::new(&db.config().unwrap(), &[]);
        let changes = [
            "SELECT".to_owned(),
            "INSERT INTO genres (id, name, name_norm, description, created_at, updated_at) \
             VALUES (md5('Jazz')::uuid, 'Jazz', 'jazz', '', now(), now())"
                .to_owned(),
            "UPDATE songs SET genre_id = md5('Jazz')::uuid WHERE md5(id::text) < '6'".to_owned(),
            format!("UPDATE songs SET tenant_id = '{}' WHERE md5(id::text) BETWEEN '4' AND '9'", tenant.0),
            format!("UPDATE songs SET tenant_id = '{}' WHERE md5(id::text) > 'e'", other.0),
            "UPDATE songs SET deleted_at = now() WHERE md5(id::text) BETWEEN '5' AND 'a'".to_owned(),
            "UPDATE songs SET deleted_at = NULL WHERE md5(id::text) BETWEEN '5' AND '7'".to_owned(),
            "INSERT INTO songs SELECT (r).* FROM (SELECT jsonb_populate_record(s, jsonb_build_object(\
             'id', md5(id::text)::uuid, 'title_norm', 'copy ' || title_norm)) AS r FROM songs s WHERE md5(id::text) < '3') copies"
                .to_owned(),
            "UPDATE songs SET title = title || '!'".to_owned(),
        ];
        let page = Page::of(100, Some(1), None);
        let mut seen = 0;
        for change in changes {
            superuser.batch_execute(&change).await.unwrap();
            for (scope, catalogue, of) in [
                (Scope::Platform, Catalogue::Global, String::new()),
                (Scope::Tenant(tenant), Catalogue::TenantAndGlobal(tenant), format!("OR tenant_id = '{}'", tenant.0)),
            ] {
                let counted = format!(
                    "SELECT genre_id::text, count(*) FROM songs WHERE deleted_at IS NULL AND (tenant_id IS NULL {of}) GROUP BY 1"
                );
                let rows = superuser.query(&counted, &[]).await.unwrap();
                let counted: HashMap<Uuid, i64> =
                    rows.iter().map(|row| (Uuid::try_parse(row.get(0)).unwrap(), row.get(1))).collect();
                let both = async |conn: &Conn| {
                    let all = song_counts(conn, catalogue, &[], &page).await?;
                    let jazz = counted.keys().next().copied().unwrap_or_default();
                    Ok((all, song_count(conn, catalogue, jazz).await?, jazz))
                };
                let (mut all, of_one, one) = pool.read(scope, both).await.unwrap();
                all.retain(|_, count| *count != 0);
                assert_eq!(all, counted, "{change}");
                assert_eq!(Some(&of_one), counted.get(&one), "{change}");
                seen += of_one;
            }
        }
        assert!(seen > 10_000, "{seen}");
    }
}
