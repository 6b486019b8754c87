//! The schema and its migrations.

use scheduler_service::MIGRATIONS;
use testkit::{TestDb, schema};

#[tokio::test]
async fn code_and_migrations_agree() {
    let db = TestDb::new("scheduler", MIGRATIONS).await.unwrap();
    schema::code_and_migrations_agree(&db, include_str!("../../src/schema.rs")).await.unwrap();
}

#[tokio::test]
async fn every_migration_can_be_undone_and_done_again() {
    schema::can_be_undone_and_done_again("scheduler", || MIGRATIONS).await.unwrap();
}
