//! The database as the second wall: roles that reach one schema, and row-level security on every tenant table.

use auth_service::MIGRATIONS as AUTH;
use devstack::Stack;
use kit_pg::bootstrap::open;
use kit_pg::migrate::{self, EmbeddedMigrations};
use kit_pg::{PgConfig, Pool};
use payments_service::MIGRATIONS as PAYMENTS;
use scheduler_service::MIGRATIONS as SCHEDULER;
use songlist_service::MIGRATIONS as SONGLIST;
use testkit::TestDb;

use crate::world;

const SERVICES: [&str; 4] = ["auth", "songlist", "payments", "scheduler"];

fn migrations(service: &str) -> EmbeddedMigrations {
    match service {
        "auth" => AUTH,
        "songlist" => SONGLIST,
        "payments" => PAYMENTS,
        _ => SCHEDULER,
    }
}

async fn schemas() -> Vec<TestDb> {
    let mut all = Vec::new();
    for service in SERVICES {
        all.push(TestDb::new(service, migrations(service)).await.unwrap());
    }
    all
}

async fn tables(db: &TestDb, condition: &str) -> Vec<String> {
    let client = open(&db.owner_url().unwrap()).await.unwrap();
    let sql = format!(
        "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = current_schema() AND c.relkind = 'r' AND {condition} ORDER BY 1"
    );
    client.query(&sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn db_01_no_role_reads_a_table_of_another_services_schema() {
    let all = schemas().await;
    for mine in &all {
        let client = open(&mine.url().unwrap()).await.unwrap();
        for theirs in all.iter().filter(|theirs| theirs.schema != mine.schema) {
            let tables = tables(theirs, "true").await;
            assert!(!tables.is_empty());
            for table in tables {
                let sql = format!("SELECT 1 FROM {}.{table} LIMIT 1", theirs.schema);
                let refused = client.query(&sql, &[]).await.unwrap_err();
                assert_eq!(refused.code().map(|code| code.code()), Some("42501"), "{} reads {sql}", mine.schema);
            }
        }
    }
}

#[tokio::test]
async fn db_02_no_runtime_role_creates_anything_anywhere() {
    let all = schemas().await;
    for mine in &all {
        let client = open(&mine.url().unwrap()).await.unwrap();
        let places: Vec<String> =
            all.iter().map(|db| db.schema.clone()).chain(["public".into(), "extensions".into()]).collect();
        for place in places {
            let refused = client.batch_execute(&format!("CREATE TABLE {place}.mine (id int)")).await.unwrap_err();
            assert_eq!(refused.code().map(|code| code.code()), Some("42501"), "{} creates in {place}", mine.schema);
        }
        for statement in ["CREATE SCHEMA mine", "CREATE TEMP TABLE mine (id int)", "CREATE ROLE mine"] {
            assert!(client.batch_execute(statement).await.is_err(), "{} may {statement}", mine.schema);
        }
    }
}

#[tokio::test]
async fn db_03_and_db_04_every_tenant_table_is_forced_under_a_policy_and_shows_nothing_without_the_tenant() {
    let stack = Stack::start().await.unwrap();
    let root = stack.root().await.unwrap();
    world::tenant(&stack, &root, "Alpha").await;
    let has_tenant = "EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')";
    let forced = format!(
        "{has_tenant} AND c.relrowsecurity AND c.relforcerowsecurity \
         AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)"
    );
    let mut filled = 0;
    for db in [&stack.db.auth, &stack.db.songlist, &stack.db.payments, &stack.db.scheduler] {
        let (runtime, superuser) = (open(&db.url().unwrap()).await.unwrap(), open(db.admin_url()).await.unwrap());
        let all = tables(db, has_tenant).await;
        assert_eq!(
            all,
            tables(db, &forced).await,
            "{}: every tenant table is under forced row-level security",
            db.schema
        );
        let another = kit::ids::random();
        for table in all {
            let count = format!("SELECT count(*) FROM {}.{table} WHERE tenant_id IS NOT NULL", db.schema);
            let rows: i64 = superuser.query_one(&count, &[]).await.unwrap().get(0);
            filled += usize::from(rows > 0);
            let seen: i64 = runtime.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get(0);
            assert_eq!(seen, 0, "{table} shows rows without a tenant");
            runtime.batch_execute(&as_tenant(another)).await.unwrap();
            let seen: i64 = runtime.query_one(&count, &[]).await.unwrap().get(0);
            runtime.batch_execute("ROLLBACK").await.unwrap();
            assert_eq!(seen, 0, "{table} shows one tenant's rows to another");
        }
    }
    assert!(filled >= 12, "only {filled} tenant tables held a row to hide");
    stack.stop().await;
}

/// Opens a transaction as the product does.
fn as_tenant(id: uuid::Uuid) -> String {
    format!("BEGIN; SELECT set_config('app.tenant', '{id}', true), set_config('app.scope', 'tenant', true)")
}

#[tokio::test]
async fn db_04_rows_are_seen_with_their_own_tenant_only_and_not_written_for_another() {
    let db = TestDb::new("songlist", SONGLIST).await.unwrap();
    let client = open(&db.url().unwrap()).await.unwrap();
    let (one, two) = (kit::ids::random(), kit::ids::random());
    let insert = |id: uuid::Uuid| {
        format!(
            "INSERT INTO playlists (id, tenant_id, user_id, name, name_norm, created_at, updated_at) \
             VALUES ('{id}', '{one}', '{one}', 'a', 'a', now(), now())"
        )
    };
    client.batch_execute(&format!("{}; {}; COMMIT", as_tenant(one), insert(one))).await.unwrap();
    let refused = client.batch_execute(&format!("{}; {}", as_tenant(two), insert(two))).await.unwrap_err();
    assert_eq!(refused.code().map(|code| code.code()), Some("42501"), "{refused}");
    client.batch_execute("ROLLBACK").await.unwrap();
    let mut counts = Vec::new();
    for tenant in [one, two] {
        client.batch_execute(&as_tenant(tenant)).await.unwrap();
        let count: i64 = client.query_one("SELECT count(*) FROM playlists", &[]).await.unwrap().get(0);
        client.batch_execute("COMMIT").await.unwrap();
        counts.push(count);
    }
    let without: i64 = client.query_one("SELECT count(*) FROM playlists", &[]).await.unwrap().get(0);
    assert_eq!((counts, without), (vec![1, 0], 0), "also on a connection that had a tenant before");
}

#[tokio::test]
async fn a_tenant_reads_global_songs_and_cannot_change_claim_or_delete_them() {
    let db = TestDb::new("songlist", SONGLIST).await.unwrap();
    let client = open(&db.url().unwrap()).await.unwrap();
    let id = kit::ids::random();
    client
        .batch_execute(&format!(
            "BEGIN; SELECT set_config('app.scope', 'platform', true); \
             INSERT INTO genres (id, name, name_norm, created_at, updated_at) VALUES ('{id}', 'g', 'g', now(), now()); \
             INSERT INTO songs (id, title, artist, title_norm, artist_norm, album_norm, genre_id, created_at, updated_at) \
             VALUES ('{id}', 't', 'a', 't', 'a', '', '{id}', now(), now()); COMMIT"
        ))
        .await
        .unwrap();
    client.batch_execute(&as_tenant(id)).await.unwrap();
    assert_eq!(client.query("SELECT 1 FROM songs", &[]).await.unwrap().len(), 1);
    for change in ["UPDATE songs SET title = 'x'", "UPDATE songs SET tenant_id = id", "DELETE FROM songs"] {
        assert_eq!(client.execute(change, &[]).await.unwrap(), 0, "{change}");
    }
}

#[tokio::test]
async fn the_platform_and_workers_read_rows_of_tenants_they_may_not_change_or_delete() {
    let stack = Stack::start().await.unwrap();
    let root = stack.root().await.unwrap();
    world::tenant(&stack, &root, "Alpha").await;
    let of_tenants = "WHERE tenant_id IS NOT NULL";
    for (db, table, change, scopes) in [
        (&stack.db.auth, "users", "first_name = 'x'", &["platform", "worker"][..]),
        (&stack.db.payments, "payments", "amount_minor = 1", &["platform"]),
        (&stack.db.payments, "subscriptions", "is_premium = false", &["platform"]),
    ] {
        let client = open(&db.url().unwrap()).await.unwrap();
        for scope in scopes {
            let begin = format!("BEGIN; SELECT set_config('app.scope', '{scope}', true)");
            client.batch_execute(&begin).await.unwrap();
            let seen = client.query(&format!("SELECT 1 FROM {table} {of_tenants}"), &[]).await.unwrap();
            assert!(!seen.is_empty(), "{scope} sees {table}");
            for statement in
                [format!("UPDATE {table} SET {change} {of_tenants}"), format!("DELETE FROM {table} {of_tenants}")]
            {
                assert_eq!(client.execute(&statement, &[]).await.unwrap(), 0, "{scope}: {statement}");
            }
            client.batch_execute("ROLLBACK").await.unwrap();
        }
    }
    stack.stop().await;
}

/// The statements whose speed is measured; the third is a page of the list.
const PAGE: &str = include_str!("../../../../../deploy/measure/read.sql");

#[tokio::test]
async fn a_page_of_a_tenants_list_is_read_in_order_from_its_index_under_the_policy() {
    let db = TestDb::new("songlist", SONGLIST).await.unwrap();
    let (superuser, client) = (open(db.admin_url()).await.unwrap(), open(&db.url().unwrap()).await.unwrap());
    let schema = &db.schema;
    // Forty tenants with five hundred songs each.
    let fill = format!(
        "SET search_path = {schema}; \
         INSERT INTO genres (id, name, name_norm, created_at, updated_at) \
         VALUES (md5('genre')::uuid, 'g', 'g', now(), now()); \
         INSERT INTO songs (id, tenant_id, title, artist, title_norm, artist_norm, album_norm, genre_id, created_at, updated_at) \
         SELECT md5('song' || n)::uuid, md5('tenant' || n % 40)::uuid, 't', 'a', n::text, 'a', '', md5('genre')::uuid, now(), now() \
         FROM generate_series(1, 20000) n; \
         INSERT INTO tenant_songs (id, tenant_id, song_id, is_active, title_norm, artist_norm, album_norm, genre_id, release_year, created_at, updated_at) \
         SELECT id, tenant_id, id, true, title_norm, 'a', '', genre_id, 0, now() - random() * interval '1 day', now() FROM songs; \
         ANALYZE songs; ANALYZE tenant_songs"
    );
    superuser.batch_execute(&fill).await.unwrap();
    let tenant: String = superuser.query_one("SELECT md5('tenant1')::uuid::text", &[]).await.unwrap().get(0);
    let tenant = uuid::Uuid::try_parse(&tenant).unwrap();
    client.batch_execute(&as_tenant(tenant)).await.unwrap();
    let page = PAGE.lines().find(|line| line.contains("FROM tenant_songs t")).unwrap();
    let explain = format!("EXPLAIN {}", page.replace(":tenant", &format!("'{tenant}'")));
    let plan: Vec<String> = client.query(&explain, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    let plan = plan.join("\n");
    assert!(plan.contains("tenant_songs_newest_approved") && !plan.contains("Sort"), "{plan}");
}

/// Columns with their types, as `table.column type` with `?` for those that may be NULL.
fn columns_of_code(text: &str) -> Vec<String> {
    let (mut table, mut columns) = (String::new(), Vec::new());
    for line in text.lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            table = name.to_owned();
        }
        let Some((column, kind)) = line.trim_end_matches(',').split_once(" -> ").filter(|_| line.ends_with(',')) else {
            continue;
        };
        let inner = kind.strip_prefix("Nullable<").and_then(|kind| kind.strip_suffix('>'));
        let sql = match inner.unwrap_or(kind) {
            "Uuid" => "uuid",
            "Text" => "text",
            "Timestamptz" => "timestamptz",
            "BigInt" => "int8",
            "Integer" => "int4",
            "SmallInt" => "int2",
            "Bool" => "bool",
            "Jsonb" => "jsonb",
            "Binary" | "Bytea" => "bytea",
            other => panic!("{table}.{column}: {other}"),
        };
        columns.push(format!("{table}.{column} {sql}{}", if inner.is_some() { "?" } else { "" }));
    }
    columns
}

#[tokio::test]
async fn the_tables_of_the_code_are_the_tables_of_the_migrations() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../..");
    let read = |file: &str| std::fs::read_to_string(format!("{root}/{file}")).unwrap();
    let shared = [read("crates/outbox/src/schema.rs"), read("crates/kit-pg/src/idempotency.rs")];
    for db in schemas().await {
        let service = SERVICES.into_iter().find(|service| db.schema.ends_with(service)).unwrap();
        let own = read(&format!("services/{service}-service/src/schema.rs"));
        let mut code: Vec<String> = shared.iter().chain([&own]).flat_map(|text| columns_of_code(text)).collect();
        let client = open(&db.owner_url().unwrap()).await.unwrap();
        let sql = "SELECT format('%s.%s %s%s', table_name, column_name, udt_name, CASE is_nullable WHEN 'YES' THEN '?' END) \
                   FROM information_schema.columns \
                   WHERE table_schema = current_schema() AND table_name <> '__diesel_schema_migrations'";
        let mut tables: Vec<String> = client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
        code.sort();
        tables.sort();
        assert_eq!(code, tables, "{service}");
    }
}

#[tokio::test]
async fn every_migration_can_be_undone_and_done_again() {
    for service in SERVICES {
        let db = TestDb::empty(service).await.unwrap();
        let url = db.owner_url().unwrap();
        migrate::run(&url, service, migrations(service)).await.unwrap();
        let first = tables(&db, "true").await;
        migrate::revert_all(&url, migrations(service)).await.unwrap();
        assert_eq!(tables(&db, "c.relname <> '__diesel_schema_migrations'").await, Vec::<String>::new(), "{service}");
        migrate::run(&url, service, migrations(service)).await.unwrap();
        assert_eq!(tables(&db, "true").await, first, "{service}");
    }
}

#[tokio::test]
async fn three_migrators_at_once_leave_one_whole_schema() {
    let db = TestDb::empty("auth").await.unwrap();
    let url = db.owner_url().unwrap();
    let runs = tokio::join!(
        migrate::run(&url, "auth", AUTH),
        migrate::run(&url, "auth", AUTH),
        migrate::run(&url, "auth", AUTH)
    );
    let done = [runs.0.unwrap(), runs.1.unwrap(), runs.2.unwrap()];
    assert_eq!(done.iter().filter(|versions| !versions.is_empty()).count(), 1, "one of them ran it all: {done:?}");
}

#[tokio::test]
async fn a_service_that_starts_before_its_database_waits_for_it() {
    let db = TestDb::new("scheduler", SCHEDULER).await.unwrap();
    let real = url::Url::parse(&db.url().unwrap()).unwrap();
    let behind = format!("127.0.0.1:{}", real.port().unwrap());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut front = real.clone();
    front.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
    let pool = Pool::new(&PgConfig::of_url(front.as_str(), "scheduler"), &[]);
    let waiting = tokio::spawn(async move { migrate::require_current(&pool, "scheduler-service", &SCHEDULER).await });
    // A database on its way up closes what connects to it.
    for _ in 0..3 {
        drop(listener.accept().await.unwrap());
    }
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let mut to = tokio::net::TcpStream::connect(&behind).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut from, &mut to).await });
        }
    });
    waiting.await.unwrap().unwrap();
}
