//! The schema and its migrations.

use auth_service::MIGRATIONS;
use kit_pg::migrate;
use testkit::{TestDb, schema};

#[tokio::test]
async fn code_and_migrations_agree() {
    let db = TestDb::new("auth", MIGRATIONS).await.unwrap();
    schema::code_and_migrations_agree(&db, include_str!("../../src/schema.rs")).await.unwrap();
}

#[tokio::test]
async fn every_migration_can_be_undone_and_done_again() {
    schema::can_be_undone_and_done_again("auth", || MIGRATIONS).await.unwrap();
}

#[tokio::test]
async fn db_03_every_tenant_table_is_under_forced_row_level_security() {
    let db = TestDb::new("auth", MIGRATIONS).await.unwrap();
    assert!(schema::tenant_tables(&db).await.unwrap().contains(&"users".to_owned()));
}

#[tokio::test]
async fn three_migrators_at_once_leave_one_whole_schema() {
    let db = TestDb::empty("auth").await.unwrap();
    let url = db.owner_url().unwrap();
    let run = || migrate::run(&url, "auth", MIGRATIONS);
    let runs = tokio::join!(run(), run(), run());
    let done = [runs.0.unwrap(), runs.1.unwrap(), runs.2.unwrap()];
    assert_eq!(done.iter().filter(|versions| !versions.is_empty()).count(), 1, "one of them ran it all: {done:?}");
}
