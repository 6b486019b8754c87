//! The schema and its row-level security. How pages are read is in `src/store/tenant_songs/plans.rs`.

use kit_pg::bootstrap::{self, open, with_database};
use kit_pg::migrate;
use songlist_service::MIGRATIONS;
use testkit::TestDb;
use testkit::schema::{self, as_tenant};

#[tokio::test]
async fn code_and_migrations_agree() {
    let db = TestDb::new("songlist", MIGRATIONS).await.unwrap();
    schema::code_and_migrations_agree(&db, include_str!("../../src/schema.rs")).await.unwrap();
}

#[tokio::test]
async fn every_migration_can_be_undone_and_done_again() {
    schema::can_be_undone_and_done_again("songlist", || MIGRATIONS).await.unwrap();
}

#[tokio::test]
async fn db_03_every_tenant_table_is_under_forced_row_level_security() {
    let db = TestDb::new("songlist", MIGRATIONS).await.unwrap();
    assert!(schema::tenant_tables(&db).await.unwrap().contains(&"tenant_songs".to_owned()));
}

#[tokio::test]
async fn db_04_rows_are_seen_with_their_own_tenant_only_and_not_written_for_another() {
    let db = TestDb::new("songlist", MIGRATIONS).await.unwrap();
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
    let db = TestDb::new("songlist", MIGRATIONS).await.unwrap();
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

#[derive(diesel::QueryableByName)]
struct Setting {
    #[diesel(sql_type = diesel::sql_types::Text)]
    setting: String,
}

#[tokio::test]
async fn db_05_every_connection_limits_statements_locks_and_idle_transactions() {
    let db = TestDb::new("songlist", MIGRATIONS).await.unwrap();
    let pool = kit_pg::Pool::new(&db.config().unwrap(), &[]);
    for name in ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] {
        let found: Setting = pool
            .transaction(kit_pg::Scope::Worker, async |conn: &mut kit_pg::Conn| {
                let sql = format!("SELECT setting FROM pg_settings WHERE name = '{name}'");
                Ok(diesel_async::RunQueryDsl::get_result(diesel::sql_query(sql), conn).await?)
            })
            .await
            .unwrap();
        assert!(found.setting.parse::<u64>().unwrap() > 0, "{name}");
    }
}

#[tokio::test]
async fn a_database_whose_searches_would_read_whole_lists_gets_no_migration() {
    let db = TestDb::empty("songlist").await.unwrap();
    // A database of its own, because what is leakproof counts for all tests of one.
    let name = format!("leaking_{}", kit::ids::random().simple());
    // From the database from which the server is set up: advisory locks are those of a database.
    let server = with_database(db.admin_url(), "postgres").unwrap();
    bootstrap::run(&server, &name, &[]).await.unwrap();
    let inside = open(&with_database(db.admin_url(), &name).unwrap()).await.unwrap();
    let leaking = "ALTER FUNCTION pg_catalog.arrayoverlap(anyarray, anyarray) NOT LEAKPROOF; \
                   DROP FUNCTION extensions.letters_and_pairs(text)";
    inside.batch_execute(leaking).await.unwrap();
    let owner = with_database(&db.owner_url().unwrap(), &name).unwrap();
    let refused = migrate::run(&owner, "songlist", MIGRATIONS).await.unwrap_err().to_string();
    for part in ["extensions.letters_and_pairs(text), pg_catalog.arrayoverlap(anyarray, anyarray)", "init.sql"] {
        assert!(refused.contains(part), "{refused}");
    }
    drop(inside);
    let superuser = open(db.admin_url()).await.unwrap();
    superuser.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
}

#[tokio::test]
async fn tables_of_which_many_rows_are_read_compare_the_scope_once_and_not_for_every_row() {
    let db = TestDb::new("songlist", MIGRATIONS).await.unwrap();
    let client = open(&db.url().unwrap()).await.unwrap();
    client.batch_execute(&as_tenant(kit::ids::random())).await.unwrap();
    for table in ["songs", "tenant_songs", "search_words", "tenant_artists"] {
        let rows = client.query(&format!("EXPLAIN SELECT FROM {table}"), &[]).await.unwrap();
        let plan = rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n");
        assert!(plan.contains("CASE WHEN $0 THEN true") && !plan.contains("'worker'"), "{plan}");
    }
}
