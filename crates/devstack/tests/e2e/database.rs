//! The database as the second wall: roles that reach one schema, and row-level security on every tenant table.

use auth_service::MIGRATIONS as AUTH;
use kit_pg::bootstrap::open;
use kit_pg::migrate::{self, EmbeddedMigrations};
use payments_service::MIGRATIONS as PAYMENTS;
use scheduler_service::MIGRATIONS as SCHEDULER;
use songlist_service::MIGRATIONS as SONGLIST;
use testkit::TestDb;

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
async fn db_03_and_db_04_every_tenant_table_is_forced_under_a_policy_and_empty_without_a_tenant() {
    let has_tenant = "EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')";
    let all = schemas().await;
    let mut seen = 0;
    for db in &all {
        let client = open(&db.url().unwrap()).await.unwrap();
        let forced = tables(
            db,
            "c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)",
        )
        .await;
        for table in tables(db, has_tenant).await {
            assert!(forced.contains(&table), "{}.{table} is not under forced row-level security", db.schema);
            let count: i64 = client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get(0);
            assert_eq!(count, 0, "{table} shows rows without a tenant");
            seen += 1;
        }
    }
    assert!(seen > 15, "only {seen} tenant tables were found");
}

#[tokio::test]
async fn db_04_rows_are_seen_with_their_own_tenant_only_and_not_written_for_another() {
    let db = TestDb::new("songlist", SONGLIST).await.unwrap();
    let client = open(&db.url().unwrap()).await.unwrap();
    let (one, two) = (kit::ids::random(), kit::ids::random());
    let begin = |tenant| {
        format!("BEGIN; SELECT set_config('app.tenant', '{tenant}', true), set_config('app.scope', 'tenant', true)")
    };
    let insert = format!(
        "INSERT INTO playlists (id, tenant_id, user_id, name, name_norm, created_at, updated_at) \
         VALUES ('{one}', '{one}', '{one}', 'a', 'a', now(), now())"
    );
    client.batch_execute(&format!("{}; {insert}; COMMIT", begin(one))).await.unwrap();
    let refused = client
        .batch_execute(&format!("{}; {}", begin(two), insert.replacen(&one.to_string(), &two.to_string(), 1)))
        .await;
    assert!(
        refused.unwrap_err().to_string().contains("row-level security")
            || client.batch_execute("ROLLBACK").await.is_ok()
    );
    client.batch_execute("ROLLBACK").await.unwrap();
    let mut counts = Vec::new();
    for tenant in [one, two] {
        client.batch_execute(&begin(tenant)).await.unwrap();
        let count: i64 = client.query_one("SELECT count(*) FROM playlists", &[]).await.unwrap().get(0);
        client.batch_execute("COMMIT").await.unwrap();
        counts.push(count);
    }
    let without: i64 = client.query_one("SELECT count(*) FROM playlists", &[]).await.unwrap().get(0);
    assert_eq!((counts, without), (vec![1, 0], 0), "also on a connection that had a tenant before");
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
