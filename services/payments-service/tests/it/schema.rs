//! The schema and its migrations.

use payments_service::MIGRATIONS;
use testkit::{TestDb, schema};

#[tokio::test]
async fn code_and_migrations_agree() {
    let db = TestDb::new("payments", MIGRATIONS).await.unwrap();
    schema::code_and_migrations_agree(&db, include_str!("../../src/schema.rs")).await.unwrap();
}

#[tokio::test]
async fn every_migration_can_be_undone_and_done_again() {
    schema::can_be_undone_and_done_again("payments", || MIGRATIONS).await.unwrap();
}

#[tokio::test]
async fn db_03_every_tenant_table_is_under_forced_row_level_security() {
    let db = TestDb::new("payments", MIGRATIONS).await.unwrap();
    assert!(schema::tenant_tables(&db).await.unwrap().contains(&"payments".to_owned()));
}
