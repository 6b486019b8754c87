//! A long list for tests of its pages, and what comparing every row of it finds.

use kit_pg::{Pool, Scope, Work};
use testkit::TestDb;
use tokio_postgres::Client;

use super::landmarks::generated;
use super::*;
use crate::generate::Catalogue;
use crate::generate::tests::{fill, superuser};
use crate::store::tenant_song_landmarks::add;

pub(super) const NEWEST: Order = Order { by: SortBy::CreatedAt, descending: true };

/// Enough for landmarks.
const SONGS: u32 = 25_000;

/// Gives some songs titles of signs and of other scripts, and the list its landmarks.
async fn prepare(db: &TestDb, tenant: TenantId) -> anyhow::Result<()> {
    let named = "UPDATE tenant_songs SET title_norm = n.title FROM (SELECT id, (ARRAY['!!!', '! !', 'u2', '99', 'a中b', 'क्ष', 'zxé'])\
                 [row_number() OVER ()] AS title FROM tenant_songs LIMIT 7) n WHERE n.id = tenant_songs.id";
    superuser(db).await.batch_execute(named).await?;
    let pool = Pool::new(&db.config()?, &[]);
    pool.transaction(Scope::Worker, async |conn: &mut Conn| add(conn, tenant).await).await?;
    Ok(())
}

/// A tenant with a long list.
pub(super) struct Long {
    pub(super) db: TestDb,
    pub(super) pool: Pool,
    pub(super) superuser: Client,
    pub(super) tenant: TenantId,
}

impl Long {
    /// For a test that changes it.
    pub(super) async fn new() -> Self {
        let (db, superuser, tenant) = generated(SONGS).await;
        prepare(&db, tenant).await.unwrap();
        Self { pool: Pool::new(&db.config().unwrap(), &[]), db, superuser, tenant }
    }

    /// For tests that only read.
    pub(super) async fn shared() -> Self {
        let tenant = TenantId(Uuid::from_u128(0x00c0_ffee));
        let wanted =
            Catalogue { songs: SONGS, links: SONGS + 1_000, tenants: vec![tenant.0, Uuid::from_u128(1)], seed: 11 };
        let db = TestDb::shared("long", "songlist", crate::MIGRATIONS, async |db: &TestDb| {
            fill(db, &wanted).await?;
            prepare(db, tenant).await
        });
        let db = db.await.unwrap();
        Self { pool: Pool::new(&db.config().unwrap(), &[]), superuser: superuser(&db).await, db, tenant }
    }

    pub(super) async fn read<T: Send, F>(&self, query: F) -> T
    where
        for<'r> F: Work<&'r Conn, Result<T, TxError>, Fut: Send> + Send + Sync,
    {
        self.pool.read(Scope::Tenant(self.tenant).search(), query).await.unwrap()
    }

    pub(super) async fn texts(&self, sql: &str) -> Vec<String> {
        self.superuser.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// The newest links that match, found by comparing every row.
    pub(super) async fn compared(&self, filters: &Filters) -> Vec<Uuid> {
        // What is computed has no index.
        let contains = |column: &str, place: usize| {
            format!("(${place}::text[] = '{{}}' OR {column} || '' LIKE ANY (${place}::text[]))")
        };
        let pattern =
            |part: &String| format!("%{}%", part.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_"));
        let patterns = |parts: &[String]| parts.iter().map(pattern).collect::<Vec<_>>();
        let (title, album, artist) = (patterns(&filters.title), patterns(&filters.album), patterns(&filters.artist));
        let sql = format!(
            "SELECT id::text FROM tenant_songs WHERE tenant_id::text = $1 AND {} AND {} AND {} AND is_active = coalesce($5, is_active) \
             AND ($6::text[] IS NULL OR genre_id::text = ANY ($6)) \
             ORDER BY created_at DESC, id DESC",
            contains("title_norm", 2),
            contains("album_norm", 3),
            contains("artist_norm", 4)
        );
        let tenant = self.tenant.0.to_string();
        let genres = filters.genres.as_ref().map(|ids| ids.iter().map(Uuid::to_string).collect::<Vec<_>>());
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
            [&tenant, &title, &album, &artist, &filters.is_active, &genres];
        let rows = self.superuser.query(&sql, &values).await.unwrap();
        rows.iter().map(|row| Uuid::try_parse(row.get(0)).unwrap()).collect()
    }

    /// Checks count and first page against what comparing every row finds; the number of rows, and whether parts have found them.
    pub(super) async fn check(&self, filters: &Filters) -> (usize, bool) {
        let window = Window { rows: 10, offset: 0 };
        let found = async |conn: &Conn| {
            let path = access_path(conn, self.tenant, filters, true).await?;
            let is_by_parts = matches!(path, AccessPath::ByParts(..));
            Ok((is_by_parts, few_matching(conn, self.tenant, filters, NEWEST, None, window, true).await?))
        };
        let (is_by_parts, Some((count, page))) = self.read(found).await else { panic!("{filters:?}: more than a few") };
        let compared = self.compared(filters).await;
        assert_eq!(usize::try_from(count).unwrap(), compared.len(), "{filters:?}");
        let page: Vec<Uuid> = page.iter().map(|row| row.id).collect();
        assert_eq!(page, compared[..compared.len().min(10)], "{filters:?}");
        (compared.len(), is_by_parts)
    }
}
