//! The queries of an import; each handles a batch.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, without_plans};
use uuid::Uuid;

use super::songs::Song;

/// Live songs with one of these titles: the tenant's own and GLOBAL ones, or GLOBAL ones only.
///
/// While statistics say that a tenant has no song, every index looks equally good to the planner; the order of the look-ups decides
/// when it may neither sort nor build bitmaps.
pub(crate) async fn with_titles(conn: &Conn, owner: Option<TenantId>, titles: &[String]) -> Result<Vec<Song>, TxError> {
    without_plans(conn, &["enable_sort", "enable_bitmapscan"], async |mut conn: &Conn| {
        let global = diesel::sql_query(of_titles(None)).bind::<Array<Text>, _>(titles);
        let mut found: Vec<Song> = global.load(&mut conn).await?;
        if let Some(id) = owner {
            let own = diesel::sql_query(of_titles(owner)).bind::<Array<Text>, _>(titles).bind::<SqlUuid, _>(id.0);
            found.extend(own.load::<Song>(&mut conn).await?);
        }
        Ok(found)
    })
    .await
}

/// The songs with each of the titles `$1`: those of the tenant `$2`, or GLOBAL ones.
fn of_titles(owner: Option<TenantId>) -> String {
    // Each title is looked up by itself, in the order of an index that begins with it. With a list of titles the planner read
    // all songs while the statistics still said that there are few, and an import took the longer the more it had stored. A range
    // and not `=`: a column that has one value is no part of the order, and without it indexes that do not have the title fit too.
    const OF_TITLE: &str = "
        SELECT s.* FROM unnest($1) AS wanted (title) CROSS JOIN LATERAL (
            SELECT * FROM songs WHERE $scope AND title_norm >= wanted.title AND title_norm <= wanted.title AND deleted_at IS NULL
            ORDER BY $order LIMIT 1000
        ) s";
    let (scope, order) = match owner {
        Some(_) => ("tenant_id = $2", "title_norm, artist_norm, album_norm"),
        None => ("tenant_id IS NULL", "title_norm, id"),
    };
    OF_TITLE.replace("$scope", scope).replace("$order", order)
}

/// Inserts new songs without images, except those that a concurrent request has inserted; returns the ids of the inserted ones.
pub(crate) async fn insert_missing(conn: &mut Conn, rows: &[Song]) -> Result<HashSet<Uuid>, TxError> {
    // Sixteen arrays are read faster than as many parameters for each row: a quarter of the time of an import went there.
    const INSERT: &str = "
        INSERT INTO songs (id, tenant_id, user_id, title, artist, album, title_norm, artist_norm, album_norm, genre_id, duration,
                           release_year, version, created_at, updated_at, words)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        ON CONFLICT DO NOTHING RETURNING id";
    let inserted: Vec<Id> = diesel::sql_query(INSERT)
        .bind::<Array<SqlUuid>, _>(of_each(rows, |song| song.id))
        .bind::<Array<Nullable<SqlUuid>>, _>(of_each(rows, |song| song.tenant_id))
        .bind::<Array<Nullable<SqlUuid>>, _>(of_each(rows, |song| song.user_id))
        .bind::<Array<Text>, _>(of_each(rows, |song| song.title.as_str()))
        .bind::<Array<Text>, _>(of_each(rows, |song| song.artist.as_str()))
        .bind::<Array<Text>, _>(of_each(rows, |song| song.album.as_str()))
        .bind::<Array<Text>, _>(of_each(rows, |song| song.title_norm.as_str()))
        .bind::<Array<Text>, _>(of_each(rows, |song| song.artist_norm.as_str()))
        .bind::<Array<Text>, _>(of_each(rows, |song| song.album_norm.as_str()))
        .bind::<Array<SqlUuid>, _>(of_each(rows, |song| song.genre_id))
        .bind::<Array<Nullable<SmallInt>>, _>(of_each(rows, |song| song.duration))
        .bind::<Array<Nullable<SmallInt>>, _>(of_each(rows, |song| song.release_year))
        .bind::<Array<BigInt>, _>(of_each(rows, |song| song.version))
        .bind::<Array<Timestamptz>, _>(of_each(rows, |song| song.created_at))
        .bind::<Array<Timestamptz>, _>(of_each(rows, |song| song.updated_at))
        .bind::<Array<Text>, _>(of_each(rows, |song| song.words.as_str()))
        .load(conn)
        .await?;
    Ok(inserted.into_iter().map(|row| row.id).collect())
}

/// A column of a returned row.
#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// The values of a column, row by row.
pub(super) fn of_each<'a, R, T>(rows: &'a [R], column: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use kit_pg::bootstrap::open;
    use testkit::TestDb;
    use testkit::schema::as_tenant;

    use super::*;

    /// The generic plan of a look-up, made as the service makes it.
    async fn plan(client: &tokio_postgres::Client, owner: Option<TenantId>) -> String {
        let (types, values) = match owner {
            Some(id) => ("text[], uuid", format!("'{{a}}', '{}'", id.0)),
            None => ("text[]", "'{a}'".to_owned()),
        };
        client.batch_execute(&format!("PREPARE titles ({types}) AS {}", of_titles(owner))).await.unwrap();
        let rows = client.query(&format!("EXPLAIN EXECUTE titles ({values})"), &[]).await.unwrap();
        client.batch_execute("DEALLOCATE titles").await.unwrap();
        rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
    }

    #[tokio::test]
    async fn titles_are_looked_up_in_indexes_that_begin_with_them_and_no_other_index_fits_whatever_statistics_say() {
        let db = TestDb::new("songlist", crate::MIGRATIONS).await.unwrap();
        let superuser = open(db.admin_url()).await.unwrap();
        let client = open(&db.url().unwrap()).await.unwrap();
        let tenant = TenantId(Uuid::from_u128(1));
        let begin = format!(
            "{}; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off",
            as_tenant(tenant.0)
        );
        let indexes = [
            (Some(tenant), ["songs_tenant_key", "songs_by_title"]),
            (None, ["songs_global_key", "songs_global_by_title"]),
        ];
        client.batch_execute(&begin).await.unwrap();
        for (owner, of_titles) in indexes {
            let plan = plan(&client, owner).await;
            let by_title = |line: &str| line.contains("Index Cond") && line.contains("title_norm >= wanted.title");
            assert!(of_titles.iter().any(|index| plan.contains(index)), "{plan}");
            assert!(plan.lines().any(by_title) && !plan.contains("Sort"), "{plan}");
        }
        client.batch_execute("ROLLBACK").await.unwrap();
        // Without them only plans are left that are switched off, which the planner counts as 10,000,000,000 each.
        let drop = "DROP INDEX songs_tenant_key, songs_by_title, songs_global_by_title, songs_global_key";
        superuser.batch_execute(&format!("SET search_path = {}; {drop}", db.schema)).await.unwrap();
        client.batch_execute(&begin).await.unwrap();
        for (owner, _) in indexes {
            let plan = plan(&client, owner).await;
            assert!(plan.starts_with("Nested Loop  (cost=100000"), "another index fits the order:\n{plan}");
        }
        client.batch_execute("ROLLBACK").await.unwrap();
    }
}
