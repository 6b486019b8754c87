//! The schema, its row-level security, and how a page is read.

use kit_pg::bootstrap::open;
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

/// The statements whose speed is measured; the third is a page of the list.
const PAGE: &str = include_str!("../../../../deploy/measure/read.sql");

#[tokio::test]
async fn a_page_of_a_tenants_list_is_read_in_order_from_its_index_under_the_policy() {
    let db = TestDb::new("songlist", MIGRATIONS).await.unwrap();
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
