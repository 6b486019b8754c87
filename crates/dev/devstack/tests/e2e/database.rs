//! The database keeps services and tenants apart by itself: each role reaches one schema, and every tenant table has
//! row-level security. What concerns the schema of a single service is in that service's tests.

use auth_service::MIGRATIONS as AUTH;
use devstack::World;
use kit_pg::bootstrap::open;
use kit_pg::migrate::EmbeddedMigrations;
use payments_service::MIGRATIONS as PAYMENTS;
use scheduler_service::MIGRATIONS as SCHEDULER;
use songlist_service::MIGRATIONS as SONGLIST;
use testkit::TestDb;
use testkit::schema::{as_tenant, tables, tenant_tables};

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

#[tokio::test]
async fn db_01_no_role_reads_a_table_of_another_services_schema() {
    let all = schemas().await;
    for mine in &all {
        let client = open(&mine.url().unwrap()).await.unwrap();
        for theirs in all.iter().filter(|theirs| theirs.schema != mine.schema) {
            let tables = tables(theirs, "true").await.unwrap();
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
    let world = World::start().await;
    world.full_tenant("Alpha").await;
    let mut filled = 0;
    for db in [&world.stack.db.auth, &world.stack.db.songlist, &world.stack.db.payments, &world.stack.db.scheduler] {
        let (runtime, superuser) = (open(&db.url().unwrap()).await.unwrap(), open(db.admin_url()).await.unwrap());
        let all = tenant_tables(db).await.unwrap();
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
    world.stop().await;
}

#[tokio::test]
async fn the_platform_and_workers_read_rows_of_tenants_they_may_not_change_or_delete() {
    let world = World::start().await;
    world.full_tenant("Alpha").await;
    let of_tenants = "WHERE tenant_id IS NOT NULL";
    for (db, table, change, scopes) in [
        (&world.stack.db.auth, "users", "first_name = 'x'", &["platform", "worker"][..]),
        (&world.stack.db.payments, "payments", "amount_minor = 1", &["platform"]),
        (&world.stack.db.payments, "subscriptions", "is_premium = false", &["platform"]),
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
    world.stop().await;
}

#[tokio::test]
async fn sf_26_and_db_03_in_a_tenants_scope_nothing_of_others_is_changed_read_or_linked() {
    let world = World::start().await;
    let (own, other) = (world.full_tenant("Alpha").await, world.full_tenant("Beta").await);
    let begin = format!(
        "BEGIN; SELECT set_config('app.scope', 'tenant', true), set_config('app.tenant', '{}', true)",
        own.tenant.id
    );
    let db = &world.stack.db;
    for (db, statement, most) in [
        (&db.songlist, "UPDATE tenants SET is_premium = true", 0),
        (&db.songlist, "UPDATE genres SET name = 'x'", 0),
        (&db.songlist, "DELETE FROM genres", 0),
        (&db.songlist, "DELETE FROM inbox", 0),
        (&db.auth, "UPDATE tenants SET name = name", 1),
        (&db.auth, "DELETE FROM tenants", 0),
        (&db.auth, "DELETE FROM revocations", 0),
        (&db.auth, "UPDATE signing_keys SET kid = kid", 0),
        (&db.payments, "UPDATE tenants SET name = name", 0),
        (&db.payments, "DELETE FROM webhook_events", 0),
    ] {
        let client = open(&db.url().unwrap()).await.unwrap();
        client.batch_execute(&begin).await.unwrap();
        // A statement that the role may not make at all is as good as one that finds no row.
        let changed = client.execute(statement, &[]).await.unwrap_or(0);
        assert!(changed <= most, "{statement}: {changed} rows");
    }
    let keys = open(&db.auth.url().unwrap()).await.unwrap();
    keys.batch_execute(&begin).await.unwrap();
    assert!(keys.query("SELECT 1 FROM signing_keys", &[]).await.unwrap().is_empty());
    // A link to another tenant's private song, which a foreign key alone would take.
    let client = open(&db.songlist.url().unwrap()).await.unwrap();
    client.batch_execute(&begin).await.unwrap();
    let link = |song: &str| {
        format!(
            "INSERT INTO tenant_songs (id, tenant_id, song_id, is_active, title_norm, artist_norm, album_norm, genre_id, \
             release_year, created_at, updated_at) VALUES (gen_random_uuid(), '{}', '{song}', true, 'x', 'x', '', '{}', 0, \
             now(), now()) ON CONFLICT DO NOTHING",
            own.tenant.id, own.genre
        )
    };
    client.batch_execute("SAVEPOINT before").await.unwrap();
    let refused = client.execute(&link(&other.song), &[]).await.unwrap_err();
    assert!(format!("{refused:?}").contains("row-level security"), "{refused:?}");
    client.batch_execute("ROLLBACK TO before").await.unwrap();
    client.execute(&link(&own.song), &[]).await.unwrap();
    // Nobody but the owner role writes the history of migrations.
    client.batch_execute("ROLLBACK").await.unwrap();
    let refused = client.execute("DELETE FROM __diesel_schema_migrations", &[]).await.unwrap_err();
    assert!(format!("{refused:?}").contains("permission denied"), "{refused:?}");
    let limit = "SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user";
    assert!(client.query_one(limit, &[]).await.unwrap().get::<_, i32>(0) > 0, "DB-05: a limit of connections");
    world.stop().await;
}
