//! Tests of the plans for pages when one tenant has a million links, as the runtime role under the policies.

use diesel::query_builder::QueryFragment;
use kit_pg::bootstrap::open;
use testkit::TestDb;
use testkit::schema::as_tenant;

use super::landmarks::generated;
use super::long_list::Long;
use super::*;
use crate::store::search::Wanted;

const GIANT: &str = "00000000-0000-7000-8000-000000000001";
const SMALL: &str = "00000000-0000-7000-8000-000000000002";

/// One tenant with a million links and forty with five hundred each. The search index is left out, because it takes a
/// minute to fill and no page here uses it.
async fn filled() -> TestDb {
    let db = TestDb::new("songlist", crate::MIGRATIONS).await.unwrap();
    let superuser = open(db.admin_url()).await.unwrap();
    let links = |rows: &str, tenant: &str| {
        format!(
            "INSERT INTO tenant_songs (id, tenant_id, song_id, is_active, title_norm, artist_norm, album_norm, genre_id, \
             release_year, created_at, updated_at, title, artist) \
             SELECT gen_random_uuid(), {tenant}, md5('genre')::uuid, n % 20 <> 0, n::text, (n % 999)::text, '', \
             md5('genre')::uuid, 1950 + n % 70, now() - n * interval '1 second', now(), n::text, n::text FROM {rows}"
        )
    };
    let fill = format!(
        "SET search_path = {}, extensions; \
         CREATE TEMP TABLE kept AS SELECT pg_get_indexdef(i.indexrelid) AS indexdef FROM pg_index i \
           JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam \
           WHERE i.indrelid = 'tenant_songs'::regclass AND NOT i.indisunique AND m.amname <> 'gin'; \
         DO $$ DECLARE i record; BEGIN FOR i IN SELECT indexrelid::regclass AS name FROM pg_index \
           WHERE indrelid = 'tenant_songs'::regclass AND NOT indisunique LOOP EXECUTE 'DROP INDEX ' || i.name; \
           END LOOP; END $$; \
         ALTER TABLE tenant_songs DROP CONSTRAINT tenant_songs_song_key, DROP CONSTRAINT tenant_songs_song_fkey; \
         {}; {}; \
         DO $$ DECLARE k record; BEGIN FOR k IN SELECT indexdef FROM kept LOOP EXECUTE k.indexdef; END LOOP; END $$; \
         ANALYZE tenant_songs",
        db.schema,
        links("generate_series(1, 1000000) n", &format!("'{GIANT}'")),
        links(
            "generate_series(1, 20000) n",
            &format!("CASE n % 40 WHEN 0 THEN '{SMALL}' ELSE md5('tenant' || n % 40)::uuid END")
        ),
    );
    superuser.batch_execute(&fill).await.unwrap();
    db
}

/// Says what VACUUM finds out about a table, unless a transaction of another test is open: that everybody sees its rows, so that they need
/// not be read beside an index.
pub(in crate::store) async fn see_all_in_indexes(superuser: &tokio_postgres::Client, table: &str) {
    let seen = format!("UPDATE pg_class SET relallvisible = relpages WHERE oid = '{table}'::regclass");
    superuser.batch_execute(&seen).await.unwrap();
}

/// The generic plan of a page, prepared as the service prepares it; `values` are its parameters.
pub(in crate::store) async fn plan(
    client: &tokio_postgres::Client,
    query: &impl QueryFragment<Pg>,
    values: &str,
) -> String {
    let text = diesel::debug_query::<Pg, _>(query).to_string();
    let sql = text.split(" -- binds:").next().unwrap();
    client.batch_execute(&format!("PREPARE page AS {sql}")).await.unwrap();
    let rows = client.query(&format!("EXPLAIN EXECUTE page({values})"), &[]).await.unwrap();
    client.batch_execute("DEALLOCATE page").await.unwrap();
    rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_ordered_page_and_what_begins_as_typed_is_read_from_its_index_beside_a_tenant_of_a_million() {
    let db = filled().await;
    let client = open(&db.url().unwrap()).await.unwrap();
    let orders = [
        (SortBy::CreatedAt, "newest"),
        (SortBy::Title, "tenant_songs_by_title"),
        (SortBy::Artist, "tenant_songs_by_artist"),
        (SortBy::ReleaseYear, "tenant_songs_by_year"),
    ];
    for tenant in [SMALL, GIANT] {
        let id = TenantId(Uuid::try_parse(tenant).unwrap());
        client.batch_execute(&as_tenant(id.0)).await.unwrap();
        client.batch_execute("SET LOCAL plan_cache_mode = force_generic_plan").await.unwrap();
        for (by, index) in orders {
            for (descending, is_active) in [(true, Some(true)), (false, Some(true)), (true, None), (false, None)] {
                let filters = Filters { is_active, ..Filters::default() };
                let query = page(id, &filters, Order { by, descending }, None, Window { rows: 21, offset: 0 });
                let plan = plan(&client, &query, &format!("'{tenant}'")).await;
                let what = format!("{by:?} descending {descending} approved {is_active:?} of {tenant}:\n{plan}");
                assert!(plan.contains(index), "not from {index}: {what}");
                assert!(!plan.contains("Sort") && !plan.contains("Gather") && !plan.contains("Seq Scan"), "{what}");
            }
        }
        for (by, index, condition, key, value) in [
            (
                SortBy::CreatedAt,
                "newest",
                "ROW(created_at, id) <",
                Key::Time(chrono::DateTime::default(), id.0),
                "now()",
            ),
            (SortBy::ReleaseYear, "by_year", "ROW(release_year, id) <", Key::Number(Some(1_999), id.0), "1999"),
        ] {
            let order = Order { by, descending: true };
            let query = page(id, &Filters::default(), order, Some(&key), Window { rows: 21, offset: 0 });
            let plan = plan(&client, &query, &format!("'{tenant}', {value}, '{tenant}'")).await;
            let is_condition = |line: &str| line.contains("Index Cond: ") && line.contains(condition);
            assert!(
                plan.contains(&format!("tenant_songs_{index}")) && !plan.contains("Sort"),
                "a page by cursor of {tenant}:\n{plan}"
            );
            assert!(plan.lines().any(is_condition), "a page by cursor of {tenant}:\n{plan}");
        }
        for (stage, index) in [(Stage::Title("5".to_owned()), "by_title"), (Stage::Artist("5".to_owned()), "by_artist")]
        {
            for is_active in [None, Some(true)] {
                let list = filtered(id, &Filters { is_active, ..Filters::default() });
                let query = on_list::hits(list, Length::Long, &stage, on_list::with_part);
                let plan = plan(&client, &query, &format!("'{tenant}', '5', '6', 1000")).await;
                let is_condition = |line: &str| line.contains("Index Cond: ") && line.contains("_norm >= $2");
                assert!(plan.contains(&format!("tenant_songs_{index}")) && !plan.contains("Sort"), "{tenant}:\n{plan}");
                assert!(plan.lines().any(is_condition), "{stage:?} of {tenant}:\n{plan}");
            }
        }
        client.batch_execute("ROLLBACK").await.unwrap();
    }
}

#[tokio::test]
async fn what_a_filter_finds_is_sorted_while_it_is_little_and_a_deep_page_is_found_in_an_index_alone() {
    let db = filled().await;
    see_all_in_indexes(&open(db.admin_url()).await.unwrap(), &format!("{}.tenant_songs", db.schema)).await;
    let client = open(&db.url().unwrap()).await.unwrap();
    let giant = TenantId(Uuid::try_parse(GIANT).unwrap());
    client.batch_execute(&as_tenant(giant.0)).await.unwrap();
    for (by, index) in [(SortBy::CreatedAt, "tenant_songs_newest"), (SortBy::Title, "tenant_songs_by_title")] {
        let deep =
            deep_page(giant, &Filters::default(), Order { by, descending: true }, Window { rows: 21, offset: 400_000 });
        let plan = plan(&client, &deep, &format!("'{GIANT}', 400000")).await;
        assert!(plan.contains("Index Only Scan") && plan.contains(index), "{plan}");
        assert!(plan.contains("hashed SubPlan") && !plan.contains("Sort"), "{plan}");
    }
    client.batch_execute("ROLLBACK").await.unwrap();
    let texts = |part: &str| vec![part.to_owned()];
    let all = Filters { title: texts("9"), artist: texts("8"), album: texts("7"), ..Filters::default() };
    client.batch_execute(&as_tenant(giant.0)).await.unwrap();
    // These links are shorter than real ones, and nearly all of the table: what is shown is that the index has all that is asked for.
    client.batch_execute("SET LOCAL enable_seqscan = off").await.unwrap();
    let columns = (tenant_songs::id, tenant_songs::created_at, tenant_songs::release_year, tenant_songs::artist_norm);
    let values = format!("'{GIANT}', '%9%', '%7%', '%8%'");
    for plan in [
        plan(&client, &found(giant, &all).count(), &values).await,
        plan(&client, &found(giant, &all).select(columns), &values).await,
    ] {
        assert!(plan.contains("Index Only Scan using tenant_songs_by_title"), "{plan}");
    }
    client.batch_execute("ROLLBACK").await.unwrap();
    let pool = kit_pg::Pool::new(&db.config().unwrap(), &[]);
    let newest = Order { by: SortBy::CreatedAt, descending: true };
    let window = Window { rows: 21, offset: 1_200 };
    let of_artist = |artist: &str| Filters { artist: vec![artist.to_owned()], ..Filters::default() };
    // The artist of the n-th link is n % 999; 998 is the artist of every 999th, and part of no other number below 999.
    let (rare, frequent, page) = pool
        .read(kit_pg::Scope::Tenant(giant).search(), async |conn: &Conn| {
            let last = Window { offset: 1_000, ..window };
            let rare = few_matching(conn, giant, &of_artist("998"), newest, None, last, true).await?;
            let frequent = few_matching(conn, giant, &of_artist("98"), newest, None, window, true).await?;
            let count = count(conn, giant, &of_artist("98")).await?;
            Ok((rare, frequent, list(conn, giant, &of_artist("98"), newest, None, window, Some(count)).await?))
        })
        .await
        .unwrap();
    let (count, rows) = rare.unwrap();
    assert_eq!((count, rows.len()), (1_001, 1), "one of 1,001 is left for the last page");
    assert!(frequent.is_none(), "20 of 999 artists have 98 in their name: 20,000 links");
    assert_eq!(page.len(), 21);
    assert!(page.iter().is_sorted_by_key(|row| std::cmp::Reverse(row.created_at)));
}

#[tokio::test]
async fn words_are_found_in_their_index_by_the_runtime_role_because_their_functions_are_leakproof() {
    let (db, _superuser, tenant) = generated(3_000).await;
    let client = open(&db.url().unwrap()).await.unwrap();
    client.batch_execute(&as_tenant(tenant.0)).await.unwrap();
    client.batch_execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off").await.unwrap();
    let stage = Stage::Words(vec![Wanted::OneOf(vec!["queen".to_owned()]), Wanted::Begins("bo".to_owned())]);
    let query = on_list::hits(found(tenant, &Filters::default()), Length::Long, &stage, on_list::with_part);
    let plan = plan(&client, &query, &format!("'{}', ARRAY['queen'], '% bo%', 1000", tenant.0)).await;
    let is_condition =
        |line: &str| line.contains("Index Cond") && line.contains("tenant_id =") && line.contains("string_to_array");
    assert!(plan.contains("tenant_songs_texts") && plan.lines().any(is_condition), "{plan}");
    client.batch_execute("ROLLBACK").await.unwrap();
}

#[tokio::test]
async fn short_parts_are_found_in_the_index_of_letters_by_the_runtime_role() {
    let list = Long::shared().await;
    let (client, tenant) = (open(&list.db.url().unwrap()).await.unwrap(), list.tenant);
    client.batch_execute(&as_tenant(tenant.0)).await.unwrap();
    client.batch_execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off").await.unwrap();
    client.batch_execute("SET LOCAL enable_indexonlyscan = off").await.unwrap();
    for (parts, values, lookups) in [
        (vec!["東京", "q"], "ARRAY['東京', 'q']", 1),
        (vec!["प्र"], "ARRAY['प्', '्र'], '%प्र%'", 1),
        (vec!["love", "qz"], "ARRAY['lo', 'ov', 've'], ARRAY['qz'], ARRAY['%love%', '%qz%']", 2),
    ] {
        let parts: Vec<String> = parts.into_iter().map(str::to_owned).collect();
        for column in Column::ALL {
            let query = live(tenant).filter(short_parts::on_list::condition(column, &parts));
            let plan = plan(&client, &query, &format!("'{}', {values}", tenant.0)).await;
            assert_eq!(plan.matches("Bitmap Index Scan on tenant_songs_pairs").count(), lookups, "{parts:?}:\n{plan}");
            let conditions = plan.lines().filter(|line| line.contains("Index Cond: ((tenant_id = "));
            let of_part = |line: &&str| ["@>", "&&"].iter().any(|operator| line.contains(operator));
            assert_eq!(conditions.filter(of_part).count(), lookups, "{parts:?}:\n{plan}");
        }
    }
    let filters = Filters { title: vec!["love".to_owned()], album: vec!["an".to_owned()], ..Filters::default() };
    let beside = plan(&client, &found(tenant, &filters), &format!("'{}', '%love%', '%an%'", tenant.0)).await;
    let condition = beside.lines().find(|line| line.contains("Index Cond: ((tenant_id")).unwrap_or_default();
    assert!(condition.contains("title_norm ~~") && !condition.contains("album_norm"), "'an' has no trigram:\n{beside}");
    let stage = Stage::Part("東京".to_owned());
    let query =
        on_list::hits(found(tenant, &Filters::default()), Length::Long, &stage, |part| with_part(Length::Long, part));
    let values = format!("'{}', ARRAY['東京'], ARRAY['東京'], ARRAY['東京'], 1000", tenant.0);
    let plan = plan(&client, &query, &values).await;
    assert_eq!(plan.matches("Bitmap Index Scan on tenant_songs_pairs").count(), 3, "one for each text:\n{plan}");
    client.batch_execute("ROLLBACK").await.unwrap();
}

#[tokio::test]
async fn what_begins_as_typed_has_no_other_plan_while_statistics_say_that_lists_are_empty() {
    let db = TestDb::new("songlist", crate::MIGRATIONS).await.unwrap();
    let superuser = open(db.admin_url()).await.unwrap();
    superuser.batch_execute(&format!("ANALYZE {}.tenant_songs", db.schema)).await.unwrap();
    let client = open(&db.url().unwrap()).await.unwrap();
    let tenant = TenantId::new();
    client.batch_execute(&as_tenant(tenant.0)).await.unwrap();
    // As `kit_pg::with_one_plan` says it.
    client.batch_execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off").await.unwrap();
    client.batch_execute("SET LOCAL plan_cache_mode = force_generic_plan").await.unwrap();
    for (stage, order) in [(Stage::Title("a".to_owned()), "title"), (Stage::Artist("a".to_owned()), "artist")] {
        let list = on_list::hits(live(tenant), Length::Long, &stage, on_list::with_part);
        let plan = plan(&client, &list, &format!("'{}', 'a', 'b', 1000", tenant.0)).await;
        let is_range = |line: &str| line.contains("Index Cond: ((tenant_id = ") && line.contains("_norm >= $2");
        assert!(plan.contains(&format!("using tenant_songs_by_{order}")) && plan.lines().any(is_range), "{plan}");
    }
    client.batch_execute("ROLLBACK").await.unwrap();
}
