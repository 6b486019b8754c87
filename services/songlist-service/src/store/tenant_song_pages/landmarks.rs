//! Tests of pages by number in a long list: from landmarks they are what skipping row by row gives, whatever has happened to the list.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use kit::Clock;
use kit_pg::bootstrap::open;
use kit_pg::{Pool, Scope};
use testkit::TestDb;

use super::*;
use crate::generate::Catalogue;
use crate::store::tenant_song_landmarks::before;
use crate::store::tenant_songs::{Link, link};
use crate::store::{link_changes, long_lists, songs, tenant_song_histograms};

const SONGS: u32 = 25_000;
const ORDERS: [(SortBy, &str); 4] = [
    (SortBy::CreatedAt, "created_at"),
    (SortBy::Title, "title_norm"),
    (SortBy::Artist, "artist_norm"),
    (SortBy::ReleaseYear, "release_year"),
];
const LISTS: [Option<bool>; 3] = [None, Some(true), Some(false)];

/// A tenant with so many songs on its list.
pub(super) async fn generated(songs: u32) -> (TestDb, tokio_postgres::Client, TenantId) {
    // The job's lock on a list is one of the whole database, which tests that run at once share: each has tenants of its own.
    let tenant = TenantId::new();
    let tenants = vec![tenant.0, TenantId::new().0];
    let wanted = Catalogue { songs, links: songs + 1_000, tenants, seed: 11 };
    let (db, superuser) = crate::generate::tests::generated(&wanted).await;
    (db, superuser, tenant)
}

/// A tenant with a long list.
struct Long {
    db: TestDb,
    pool: Pool,
    superuser: tokio_postgres::Client,
    tenant: TenantId,
}

impl Long {
    async fn new() -> Self {
        let (db, superuser, tenant) = generated(SONGS).await;
        let pool = Pool::new(&db.config().unwrap(), &[]);
        Self { db, pool, superuser, tenant }
    }

    /// As the job does it; the number of landmarks that were added.
    async fn complete(&self) -> usize {
        let to_complete = async |conn: &mut Conn| long_lists::to_complete(conn).await;
        let late = Instant::now() + Duration::from_secs(60);
        let mut added = 0;
        for tenant in self.pool.transaction(Scope::Worker, to_complete).await.unwrap() {
            added += long_lists::complete(&self.pool, tenant, late).await.unwrap();
        }
        added
    }

    async fn ids(&self, sql: &str) -> Vec<Uuid> {
        let rows = self.superuser.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| Uuid::try_parse(row.get(0)).unwrap()).collect()
    }

    /// Ids of links, or of their songs, which have `state`; always the same ones.
    async fn some(&self, column: &str, state: &str, rows: u32) -> Vec<Uuid> {
        let tenant = self.tenant.0;
        let from = format!("FROM tenant_songs WHERE tenant_id = '{tenant}' AND {state}");
        self.ids(&format!("SELECT {column}::text {from} ORDER BY md5({column}::text) LIMIT {rows}")).await
    }

    /// Compares pages of all lists with what skipping gives. At most so many links are `skipped` from a landmark on.
    async fn check(&self, what: &str, skipped: Option<i64>) {
        for is_active in LISTS {
            let filters = Filters { is_active, ..Filters::default() };
            let listed = is_active.map_or(String::new(), |active| format!("AND l.is_active = {active}"));
            let list = format!(
                "FROM tenant_songs l JOIN songs s ON s.id = l.song_id WHERE l.tenant_id = '{}' AND l.deleted_at IS NULL \
                 AND s.deleted_at IS NULL {listed}",
                self.tenant.0
            );
            if let Some(most) = skipped {
                for position in [2_000, 12_500, 19_000] {
                    let position = if is_active == Some(false) { position / 20 } else { position };
                    let before = async |conn: &Conn| before(conn, self.tenant, is_active, position).await;
                    let landmark = self.pool.read(Scope::Tenant(self.tenant), before).await.unwrap().unwrap();
                    assert!(
                        (0..most).contains(&(position - landmark.older)),
                        "{what} {is_active:?} {position} {landmark:?}"
                    );
                }
            }
            for (by, column) in ORDERS {
                let all = self.ids(&format!("SELECT l.id::text {list} ORDER BY l.{column}, l.id")).await;
                self.check_pages(&format!("{what}, approved {is_active:?}"), &filters, by, &all).await;
            }
        }
        if skipped.is_some() {
            self.check_histogram(what).await;
        }
    }

    /// Compares pages by number with those of a list that was read whole.
    async fn check_pages(&self, what: &str, filters: &Filters, by: SortBy, all: &[Uuid]) {
        let length = i64::try_from(all.len()).unwrap();
        for offset in [1_000, length / 3, length / 2, length - 4_321, length - 5].map(|offset| offset.max(1_000)) {
            for descending in [false, true] {
                let order = Order { by, descending };
                let window = Window { rows: 21, offset };
                let (counted, page) = self
                    .pool
                    .read(Scope::Tenant(self.tenant), async |conn: &Conn| {
                        let counted = count(conn, self.tenant, filters).await?;
                        let page = list_of(conn, self.tenant, filters, order, window, counted).await?;
                        Ok((counted, page))
                    })
                    .await
                    .unwrap();
                assert_eq!(counted, length, "{what}");
                let skipped = usize::try_from(offset).unwrap();
                let expected: Vec<Uuid> = if descending {
                    all.iter().rev().skip(skipped).take(21).copied().collect()
                } else {
                    all.iter().skip(skipped).take(21).copied().collect()
                };
                assert_eq!(page, expected, "{what}, from {offset}, {order:?}");
            }
        }
    }

    /// Compares the histogram, its changes and what is to be subtracted with the links of the list, and finds its buckets.
    async fn check_histogram(&self, what: &str) {
        let wrong = "
            SELECT count(*) FROM (
                SELECT sorted_by, bucket, sum(total) AS total, sum(approved) AS approved FROM tenant_song_histograms
                WHERE tenant_id::text = $1 GROUP BY 1, 2 HAVING sum(total) <> 0
            ) h
            FULL JOIN (
                SELECT sorted_by, bucket, count(*) AS total, count(*) FILTER (WHERE is_active) AS approved
                FROM tenant_songs l CROSS JOIN LATERAL buckets_of(title_norm, artist_norm, release_year)
                WHERE tenant_id::text = $1 AND deleted_at IS NULL AND NOT EXISTS (
                    SELECT FROM songs s WHERE s.id = l.song_id AND s.deleted_at IS NOT NULL AND s.counted_out
                ) GROUP BY 1, 2
            ) l USING (sorted_by, bucket)
            WHERE h.total IS DISTINCT FROM l.total OR h.approved IS DISTINCT FROM l.approved";
        let wrong = self.superuser.query_one(wrong, &[&self.tenant.0.to_string()]).await.unwrap();
        assert_eq!(wrong.get::<_, i64>(0), 0, "{what}: buckets that are wrong");
        for by in [SortBy::Title, SortBy::Artist, SortBy::ReleaseYear] {
            let bucket =
                async |conn: &Conn| tenant_song_histograms::bucket_at(conn, self.tenant, Some(true), by, 12_500).await;
            let bucket = self.pool.read(Scope::Tenant(self.tenant), bucket).await.unwrap().unwrap();
            assert!((1..=12_500).contains(&bucket.before), "{what} {by:?} {bucket:?}");
        }
    }
}

async fn list_of(
    conn: &Conn,
    tenant: TenantId,
    filters: &Filters,
    order: Order,
    window: Window,
    count: i64,
) -> Result<Vec<Uuid>, TxError> {
    let rows = list(conn, tenant, filters, order, None, window, Some(count)).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

#[tokio::test]
async fn a_page_from_a_landmark_is_the_one_that_skipping_gives_whatever_has_changed_since() {
    let long = Long::new().await;
    let (pool, tenant, now) = (&long.pool, long.tenant, Clock::system().now());
    long.check("without landmarks", None).await;
    assert_eq!(long.complete().await, 13, "one for every 2,000 links");
    long.check("with landmarks", Some(2_100)).await;

    let (removed, withdrawn) =
        (long.some("id", "deleted_at IS NULL", 900).await, long.some("id", "is_active", 2_000).await);
    let mut removed_songs = long.some("song_id", "deleted_at IS NULL", 700).await;
    let change = async |conn: &mut Conn| {
        link_changes::unlink(conn, tenant, &removed, now).await?;
        link_changes::set_active(conn, tenant, &withdrawn, false, now).await
    };
    assert!(!pool.transaction(Scope::Tenant(tenant), change).await.unwrap().is_empty());
    long.check("after links were removed and withdrawn", Some(4_100)).await;

    let restored = long.some("song_id", "deleted_at IS NOT NULL", 50).await;
    let restore = async |conn: &mut Conn| {
        let songs = songs::find_many(conn, songs::Catalogue::Global, &restored).await?;
        let links: Vec<Link> = songs.iter().map(|song| Link::new(tenant, song, false)).collect();
        let linked = link(conn, tenant, &links, now).await?;
        crate::store::tenant_songs::count_in(conn, tenant, linked.len(), 0).await?;
        Ok(linked.len())
    };
    assert_eq!(pool.transaction(Scope::Tenant(tenant), restore).await.unwrap(), 50);
    long.check("after links were restored", Some(4_100)).await;
    long.complete().await;
    long.check("after changes were put in", Some(4_100)).await;

    removed_songs.truncate(300);
    let gone = async |conn: &mut Conn| {
        for song in &removed_songs {
            songs::delete(conn, None, *song, now).await?;
        }
        Ok(())
    };
    pool.transaction(Scope::Platform, gone).await.unwrap();
    long.check("after songs were deleted", Some(4_100)).await;
    long.complete().await;
    long.check("after songs were deleted and changes put in", Some(4_100)).await;
    let out = async |conn: &mut Conn| link_changes::count_out(conn, now + TimeDelta::hours(1), 1_000).await;
    assert_eq!(pool.transaction(Scope::Worker, out).await.unwrap(), 300);
    long.check("after deleted songs were counted out", Some(4_100)).await;
    long.complete().await;
    long.check("after they were put in", Some(4_100)).await;

    let renamed = format!(
        "UPDATE tenant_songs SET title_norm = 'zz' || title_norm, artist_norm = '東' || artist_norm, release_year = 1999 \
         WHERE id IN (SELECT l.id FROM tenant_songs l JOIN songs s ON s.id = l.song_id \
                      WHERE l.tenant_id = '{}' AND s.deleted_at IS NULL ORDER BY md5(l.id::text) LIMIT 3000)",
        tenant.0
    );
    long.superuser.batch_execute(&renamed).await.unwrap();
    long.check("after songs were renamed", Some(4_100)).await;

    // Five thousand links of about the same time come back in the middle of the list.
    let back = format!(
        "UPDATE tenant_songs SET created_at = timestamptz '2024-05-05' + (random() * 1000)::integer * interval '1 second' \
         WHERE id IN (SELECT l.id FROM tenant_songs l JOIN songs s ON s.id = l.song_id \
                      WHERE l.tenant_id = '{}' AND s.deleted_at IS NULL ORDER BY md5(l.id::text) LIMIT 5000)",
        tenant.0
    );
    long.superuser.batch_execute(&back).await.unwrap();
    long.check("after many links came to one place", Some(8_000)).await;
    assert!(long.complete().await > 0, "there are more landmarks where there are more links");
    long.check("with landmarks there", Some(4_100)).await;
    assert_eq!(testkit::schema::count(&long.db, "tenant_song_landmark_changes").await.unwrap(), 0);

    let erased = format!(
        "DELETE FROM tenant_songs l USING songs s \
         WHERE l.tenant_id = '{}' AND s.id = l.song_id AND s.deleted_at IS NULL AND md5(l.id::text) > 'e'",
        tenant.0
    );
    long.superuser.batch_execute(&erased).await.unwrap();
    long.check_histogram("after links were erased").await;
    let changes = testkit::schema::count(&long.db, "tenant_song_histograms WHERE NOT is_base").await.unwrap();
    assert!(changes > 50, "{changes}");
    long.complete().await;
    long.check_histogram("after that was put in").await;
    assert_eq!(testkit::schema::count(&long.db, "tenant_song_histograms WHERE NOT is_base").await.unwrap(), 0);
}

#[tokio::test]
async fn landmarks_are_exact_while_links_change_beside_the_job() {
    let long = Long::new().await;
    let (tenant, now) = (long.tenant, Clock::system().now());
    let links = long.some("id", "deleted_at IS NULL", 3_000).await;
    let writers = links.chunks(1_000).map(|links| {
        let (pool, links) = (&long.pool, links.to_vec());
        async move {
            for (round, some) in (0..).zip(links.chunks(50).cycle().take(60)) {
                let change =
                    async |conn: &mut Conn| link_changes::set_active(conn, tenant, some, round < 20, now).await;
                pool.transaction(Scope::Tenant(tenant), change).await.unwrap();
            }
        }
    });
    let job = async {
        for _ in 0..20 {
            long.complete().await;
        }
    };
    futures_util::future::join(futures_util::future::join_all(writers), job).await;
    long.check("after writers and the job ran beside each other", Some(4_100)).await;
    long.complete().await;
    assert_eq!(testkit::schema::count(&long.db, "tenant_song_landmark_changes").await.unwrap(), 0);
    long.check("after all changes were put in", Some(2_100)).await;
}

#[tokio::test]
async fn an_artist_is_found_whose_only_song_was_removed_before_artists_were_kept_and_is_restored() {
    let (db, superuser, tenant) = generated(1_000).await;
    let pool = Pool::new(&db.config().unwrap(), &[]);
    let queen = Filters { artist: vec!["queen".to_owned()], ..Filters::default() };
    let newest = Order { by: SortBy::CreatedAt, descending: true };
    let songs_of_queen = async || {
        let window = Window { rows: 21, offset: 0 };
        let few = async |conn: &Conn| few_matching(conn, tenant, &queen, newest, None, window, true).await;
        pool.read(Scope::Tenant(tenant).search(), few).await.unwrap().map(|(count, _)| count)
    };
    let release_before = format!(
        "UPDATE tenant_songs SET artist = 'Queen', artist_norm = 'queen', deleted_at = now() \
         WHERE id = (SELECT id FROM tenant_songs WHERE tenant_id = '{}' LIMIT 1); DELETE FROM tenant_artists",
        tenant.0
    );
    superuser.batch_execute(&release_before).await.unwrap();
    let owner = open(&db.owner_url().unwrap()).await.unwrap();
    owner
        .batch_execute(include_str!(
            "../../../../../migrations/songlist-service/20261129000240_fill_tenant_artists/up.sql"
        ))
        .await
        .unwrap();
    assert_eq!(songs_of_queen().await, Some(0));
    superuser.batch_execute("UPDATE tenant_songs SET deleted_at = NULL WHERE artist = 'Queen'").await.unwrap();
    assert_eq!(songs_of_queen().await, Some(1));
    superuser.batch_execute("UPDATE tenant_songs SET artist_norm = 'queens' WHERE artist = 'Queen'").await.unwrap();
    superuser.batch_execute("DELETE FROM tenant_artists WHERE artist_norm = 'queen'").await.unwrap();
    assert_eq!(songs_of_queen().await, Some(1), "a new name is kept too, and contains the old one");
}
