//! Tests of filters and searches by parts in the catalogue: they find what comparing every song finds.

use kit::ids::TenantId;
use kit_pg::{Pool, Scope};
use testkit::TestDb;
use testkit::schema::as_tenant;
use tokio_postgres::Client;

use super::*;
use crate::store::tenant_song_pages::plans::{plan, see_all_in_indexes};

/// A catalogue of GLOBAL songs, those of a tenant and those of another one.
pub(super) struct Songs {
    pub(super) db: TestDb,
    pub(super) pool: Pool,
    pub(super) superuser: Client,
    pub(super) tenant: TenantId,
}

impl Songs {
    pub(super) async fn new() -> Self {
        let [tenant, other] = [TenantId::new(), TenantId::new()];
        let wanted =
            crate::generate::Catalogue { songs: 5_000, links: 6_000, tenants: vec![tenant.0, other.0], seed: 7 };
        let (db, superuser) = crate::generate::tests::generated(&wanted).await;
        let of_tenants = format!(
            "UPDATE songs SET tenant_id = '{}' WHERE md5(id::text) < '2'; UPDATE songs SET tenant_id = '{}' WHERE md5(id::text) > 'e'; \
             UPDATE songs SET deleted_at = now() WHERE md5(id::text) BETWEEN '3' AND '4'; ANALYZE songs",
            tenant.0, other.0
        );
        superuser.batch_execute(&of_tenants).await.unwrap();
        let pool = Pool::new(&db.config().unwrap(), &[]);
        Self { db, pool, superuser, tenant }
    }

    pub(super) async fn texts(&self, sql: &str) -> Vec<String> {
        self.superuser.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// The ids of the songs that the tenant sees and that match, in the order of their titles.
    async fn compared(&self, visibility: Option<Visibility>, matches: &str) -> Vec<Uuid> {
        let own = format!("tenant_id = '{}'", self.tenant.0);
        let seen = match visibility {
            None => format!("({own} OR tenant_id IS NULL)"),
            Some(Visibility::Tenant) => own,
            Some(Visibility::Global) => "tenant_id IS NULL".to_owned(),
        };
        let sql = format!(
            "SELECT id::text FROM songs WHERE deleted_at IS NULL AND {seen} AND {matches} ORDER BY title_norm, id"
        );
        self.texts(&sql).await.iter().map(|id| Uuid::try_parse(id).unwrap()).collect()
    }
}

#[tokio::test]
async fn parts_of_every_length_find_what_comparing_every_song_of_the_tenant_and_global_ones_finds() {
    let songs = Songs::new().await;
    let parts = "SELECT DISTINCT part FROM (SELECT substr(title_norm, place, size) AS part FROM songs, \
                 generate_series(1, 3) place, generate_series(1, 3) size) p \
                 WHERE md5(part) < '2' OR part ~ '^[^a-z0-9]$' ORDER BY 1";
    let order = Order { by: SortBy::Title, descending: false };
    let seen = [None, Some(Visibility::Tenant), Some(Visibility::Global)];
    let parts = songs.texts(parts).await;
    let mut rows = 0;
    for (part, visibility) in parts.iter().zip(seen.into_iter().cycle()) {
        let filters = Filters { title: vec![part.clone()], visibility, ..Filters::default() };
        let catalogue = Catalogue::TenantAndGlobal(songs.tenant);
        let window = Window { rows: 10, offset: 1 };
        let page = async |conn: &Conn| few_matching(conn, catalogue, &filters, order, None, window, true).await;
        let page = songs.pool.read(Scope::Tenant(songs.tenant).search(), page).await.unwrap();
        let Some((count, page)) = page else { panic!("{filters:?}") };
        let compared = songs.compared(visibility, &format!("strpos(title_norm, '{part}') > 0")).await;
        assert_eq!(usize::try_from(count).unwrap(), compared.len(), "{filters:?}");
        let page: Vec<Uuid> = page.iter().map(|song| song.id).collect();
        assert_eq!(page, compared.iter().skip(1).take(10).copied().collect::<Vec<_>>(), "{filters:?}");
        rows += compared.len();
    }
    assert!(parts.len() > 300 && rows > 1_000, "{} parts, {rows} rows", parts.len());
}

/// Filters of all columns: by trigrams, by short parts, and of single letters, for which all songs are read.
fn combined() -> Vec<Filters> {
    let of = |title: &[&str], artist: &[&str], album: &[&str]| {
        let texts = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect();
        Filters { title: texts(title), artist: texts(artist), album: texts(album), ..Filters::default() }
    };
    let mut all = vec![
        of(&["लि"], &[], &[]),
        of(&["ba"], &["a"], &[]),
        of(&["bab"], &["an"], &[]),
        of(&[], &["bab"], &["o"]),
        of(&["ア"], &[], &["イ"]),
        of(&[], &[], &["मा", "ta"]),
        of(&["ban", "cab", "den"], &["a", "e"], &["a", "i", "o", "u", "e", "ा"]),
        of(&["zzzz"], &[], &[]),
        of(&["a"], &[], &[]),
        of(&[], &["e"], &[]),
        of(&["a", "o"], &["i"], &["e", "a"]),
    ];
    all.extend(all.clone().into_iter().map(|filters| Filters { genres: Some(vec![Uuid::nil()]), ..filters }));
    all
}

#[tokio::test]
async fn pages_of_few_songs_are_those_of_the_whole_list_in_every_order() {
    let songs = Songs::new().await;
    let gaps = "UPDATE songs SET release_year = NULL WHERE md5(id::text) > 'a'; \
                UPDATE songs SET duration = NULL WHERE md5(id::text) < '8'";
    let genre = "INSERT INTO genres (id, name, name_norm, created_at, updated_at) VALUES (\
                 '00000000-0000-0000-0000-000000000000', 'g', 'g', now(), now()); \
                 UPDATE songs SET genre_id = '00000000-0000-0000-0000-000000000000' WHERE md5(id::text) ~ '[05a]$'";
    songs.superuser.batch_execute(gaps).await.unwrap();
    songs.superuser.batch_execute(genre).await.unwrap();
    let (mut rows, mut pages) = (0, 0);
    for filters in combined() {
        for by in [SortBy::CreatedAt, SortBy::Title, SortBy::Artist, SortBy::ReleaseYear, SortBy::Duration] {
            let descending = pages % 2 == 0;
            let order = Order { by, descending };
            let (visibility, scope, catalogue) = match pages % 4 {
                0 => (None, Scope::Tenant(songs.tenant), Catalogue::TenantAndGlobal(songs.tenant)),
                1 => (Some(Visibility::Tenant), Scope::Tenant(songs.tenant), Catalogue::TenantAndGlobal(songs.tenant)),
                2 => (Some(Visibility::Global), Scope::Tenant(songs.tenant), Catalogue::TenantAndGlobal(songs.tenant)),
                _ => (None, Scope::Platform, Catalogue::Global),
            };
            let filters = Filters { visibility, ..filters.clone() };
            for offset in [0, 2, 5_000] {
                let window = Window { rows: 4, offset };
                let both = async |conn: &Conn| {
                    let few = few_matching(conn, catalogue, &filters, order, None, window, true).await?;
                    let count = count(conn, catalogue, &filters).await?;
                    let page = list(conn, catalogue, &filters, order, None, window, Some(count)).await?;
                    Ok((few, count, page))
                };
                let (few, count, page) = songs.pool.read(scope.search(), both).await.unwrap();
                let Some((found, few)) = few else { panic!("{filters:?}") };
                let ids = |songs: &[Song]| songs.iter().map(|song| song.id).collect::<Vec<_>>();
                assert_eq!((found, ids(&few)), (count, ids(&page)), "{filters:?} {order:?} {window:?}");
                rows += few.len();
            }
            pages += 1;
        }
    }
    assert!(rows > 200, "{rows} rows");
}

#[tokio::test]
async fn a_part_without_trigrams_beside_another_column_is_no_condition_of_the_index_of_trigrams() {
    let songs = Songs::new().await;
    let client = kit_pg::bootstrap::open(&songs.db.url().unwrap()).await.unwrap();
    client.batch_execute(&as_tenant(songs.tenant.0)).await.unwrap();
    client.batch_execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off").await.unwrap();
    let texts = |part: &str| vec![part.to_owned()];
    let filters = Filters { title: texts("love"), artist: texts("u2"), album: texts("a"), ..Filters::default() };
    let query = filtered(Catalogue::Global, &filters);
    let plan = plan(&client, &query, "'%love%', '%u2%', '%a%'").await;
    let condition = plan.lines().find(|line| line.contains("Index Cond")).unwrap_or_default();
    assert!(
        condition.contains("title_norm ~~") && !condition.contains("artist_norm") && !condition.contains("album_norm"),
        "{plan}"
    );
    assert!(plan.contains("Bitmap Index Scan on songs_global_texts"), "{plan}");
    client.batch_execute("ROLLBACK").await.unwrap();
}

#[tokio::test]
async fn a_search_for_a_short_part_finds_it_in_titles_albums_and_artists_of_the_catalogue() {
    let songs = Songs::new().await;
    let parts =
        "SELECT DISTINCT substr(title_norm, 2, 2) FROM songs WHERE title_norm ~ '^[ア-ン]{3}' ORDER BY 1 LIMIT 40";
    let mut all = 0;
    for part in songs.texts(parts).await {
        let stage = Stage::Part(part.clone());
        let found =
            async |conn: &Conn| hits(conn, Catalogue::TenantAndGlobal(songs.tenant), &Filters::default(), &stage).await;
        let found = songs.pool.read(Scope::Tenant(songs.tenant).search(), found).await.unwrap();
        let mut found: Vec<Uuid> = found.into_iter().map(|hit| hit.id).collect();
        let mut compared = songs
            .compared(None, &format!("strpos(title_norm || ' ' || album_norm || ' ' || artist_norm, '{part}') > 0"))
            .await;
        found.sort_unstable();
        compared.sort_unstable();
        assert_eq!(found, compared, "{part}");
        all += found.len();
    }
    assert!(all > 30, "{all}");
}

#[tokio::test]
async fn short_parts_are_found_in_the_index_of_letters_of_each_visibility_by_the_runtime_role() {
    let songs = Songs::new().await;
    let client = kit_pg::bootstrap::open(&songs.db.url().unwrap()).await.unwrap();
    client.batch_execute(&as_tenant(songs.tenant.0)).await.unwrap();
    client.batch_execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off").await.unwrap();
    let filters = Filters { title: vec!["東京".to_owned()], ..Filters::default() };
    let catalogue = Catalogue::TenantAndGlobal(songs.tenant);
    for (of, index) in
        of_each_visibility(catalogue, &Filters::default()).iter().zip(["songs_pairs", "songs_global_pairs"])
    {
        let query = filtered(catalogue, of).filter(short_parts::in_catalogue::condition(Column::Title, &filters.title));
        let values = match of.visibility {
            Some(Visibility::Tenant) => format!("'{}', ARRAY['東京']", songs.tenant.0),
            _ => "ARRAY['東京']".to_owned(),
        };
        let plan = plan(&client, &query, &values).await;
        let is_condition =
            |line: &str| line.contains("Index Cond") && line.contains("letters_and_pairs((title_norm)::text) &&");
        assert!(plan.contains(&format!("Bitmap Index Scan on {index}")) && plan.lines().any(is_condition), "{plan}");
    }
    client.batch_execute("ROLLBACK").await.unwrap();
}

#[tokio::test]
async fn an_index_alone_has_all_that_filters_and_orders_of_each_visibility_ask_for() {
    let songs = Songs::new().await;
    see_all_in_indexes(&songs.superuser, "songs").await;
    let client = kit_pg::bootstrap::open(&songs.db.url().unwrap()).await.unwrap();
    client.batch_execute(&as_tenant(songs.tenant.0)).await.unwrap();
    client.batch_execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off").await.unwrap();
    let texts = |part: &str| vec![part.to_owned()];
    let filters = Filters { title: texts("a"), artist: texts("e"), album: texts("o"), ..Filters::default() };
    let catalogue = Catalogue::TenantAndGlobal(songs.tenant);
    let parts = "'%a%', '%e%', '%o%'";
    for (filters, values) in
        of_each_visibility(catalogue, &filters).iter().zip([format!("'{}', {parts}", songs.tenant.0), parts.to_owned()])
    {
        let columns = (songs::id, songs::created_at, songs::release_year, songs::duration, songs::genre_id);
        let plan = plan(&client, &filtered(catalogue, filters).select(columns), &values).await;
        assert!(plan.contains("Index Only Scan using songs_by_artist"), "{plan}");
    }
    client.batch_execute("ROLLBACK").await.unwrap();
}

#[tokio::test]
async fn songs_that_begin_as_typed_have_no_other_plan_while_statistics_say_that_there_are_none() {
    let db = TestDb::new("songlist", crate::MIGRATIONS).await.unwrap();
    let superuser = kit_pg::bootstrap::open(db.admin_url()).await.unwrap();
    superuser.batch_execute(&format!("ANALYZE {}.songs", db.schema)).await.unwrap();
    let client = kit_pg::bootstrap::open(&db.url().unwrap()).await.unwrap();
    let tenant = TenantId::new();
    client.batch_execute(&as_tenant(tenant.0)).await.unwrap();
    // As `kit_pg::with_one_plan` says it.
    client.batch_execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off").await.unwrap();
    client.batch_execute("SET LOCAL plan_cache_mode = force_generic_plan").await.unwrap();
    for filters in of_each_visibility(Catalogue::TenantAndGlobal(tenant), &Filters::default()) {
        let (kind, values) = match filters.visibility {
            Some(Visibility::Tenant) => ("songs_by", format!("'{}', 'a', 'b', 1000", tenant.0)),
            _ => ("songs_global_by", "'a', 'b', 1000".to_owned()),
        };
        for (stage, order) in [(Stage::Title("a".to_owned()), "title"), (Stage::Artist("a".to_owned()), "artist")] {
            let list = filtered(Catalogue::TenantAndGlobal(tenant), &filters);
            let query = in_catalogue::hits(list, Length::Long, &stage, in_catalogue::with_part);
            let plan = plan(&client, &query, &values).await;
            let is_range = |line: &str| line.contains("Index Cond: ") && line.contains(&format!("{order}_norm >= "));
            // The unique key begins with the tenant and the title, too.
            let indexes = [format!("using {kind}_{order}"), "using songs_tenant_key".to_owned()];
            assert!(indexes.iter().any(|index| plan.contains(index)) && plan.lines().any(is_range), "{plan}");
        }
    }
    client.batch_execute("ROLLBACK").await.unwrap();
}
