//! Checks that the schema of every service must pass; each service's tests call them in a line.

use std::path::Path;

use anyhow::{Context, ensure};
use kit_pg::bootstrap::open;
use kit_pg::migrate::{self, EmbeddedMigrations};
use uuid::Uuid;

use crate::TestDb;

/// The SQL that opens a transaction in a tenant's scope, as services do.
pub fn as_tenant(id: Uuid) -> String {
    format!("BEGIN; SELECT set_config('app.tenant', '{id}', true), set_config('app.scope', 'tenant', true)")
}

/// The tables of a schema that meet `condition`, an SQL condition on `pg_class c`.
///
/// # Errors
/// When the database does not answer.
pub async fn tables(db: &TestDb, condition: &str) -> anyhow::Result<Vec<String>> {
    let client = open(&db.owner_url()?).await?;
    let sql = format!(
        "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = current_schema() AND c.relkind = 'r' AND {condition} ORDER BY 1"
    );
    Ok(client.query(&sql, &[]).await?.iter().map(|row| row.get(0)).collect())
}

/// The number of `rows`, such as `outbox WHERE state = 'sent'`, counted without row-level security.
///
/// # Errors
/// When the database does not answer.
pub async fn count(db: &TestDb, rows: &str) -> anyhow::Result<i64> {
    let superuser = open(db.admin_url()).await?;
    let sql = format!("SELECT count(*) FROM {}.{rows}", db.schema);
    Ok(superuser.query_one(&sql, &[]).await?.try_get(0)?)
}

/// The tables with a column `tenant_id`.
///
/// # Errors
/// When a table is not under forced row-level security with a policy, or no index of it begins with the tenant; the
/// message names it.
pub async fn tenant_tables(db: &TestDb) -> anyhow::Result<Vec<String>> {
    let has_tenant = "EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')";
    let all = tables(db, has_tenant).await?;
    let forced = "c.relrowsecurity AND c.relforcerowsecurity \
                  AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)";
    let open_ones = tables(db, &format!("{has_tenant} AND NOT ({forced})")).await?;
    ensure!(open_ones.is_empty(), "{}: {open_ones:?} are not under forced row-level security", db.schema);
    let indexed = "EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] \
                   WHERE i.indrelid = c.oid AND a.attname = 'tenant_id')";
    let slow_ones = tables(db, &format!("{has_tenant} AND NOT ({indexed})")).await?;
    ensure!(slow_ones.is_empty(), "{}: {slow_ones:?} have no index that begins with the tenant", db.schema);
    Ok(all)
}

/// Checks that running every migration of a service up, down and up again leaves the same tables.
///
/// # Errors
/// When tables are left or missing; the message names them.
pub async fn can_be_undone_and_done_again(
    service: &'static str,
    migrations: fn() -> EmbeddedMigrations,
) -> anyhow::Result<()> {
    let db = TestDb::empty(service).await?;
    let url = db.owner_url()?;
    migrate::run(&url, service, migrations()).await?;
    let first = tables(&db, "true").await?;
    migrate::revert_all(&url, migrations()).await?;
    let left = tables(&db, "c.relname <> '__diesel_schema_migrations'").await?;
    ensure!(left.is_empty(), "{service}: {left:?} were left behind");
    migrate::run(&url, service, migrations()).await?;
    let second = tables(&db, "true").await?;
    ensure!(first == second, "{service}: {first:?} became {second:?}");
    Ok(())
}

/// Checks that the tables which the code declares (those of the service, of outbox, idempotency and audit) are the migrated
/// ones, column by column.
///
/// # Errors
/// When a column is on one side only; the message names it.
pub async fn code_and_migrations_agree(db: &TestDb, schema_rs: &str) -> anyhow::Result<()> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.."));
    let mut code = columns_of_code(schema_rs)?;
    let audits = tables(db, "c.relname = 'audit_events'").await?.len();
    let audit = ["crates/audit/src/schema.rs"].into_iter().take(audits);
    for shared in ["crates/outbox/src/schema.rs", "crates/kit-pg/src/idempotency.rs"].into_iter().chain(audit) {
        code.extend(columns_of_code(&std::fs::read_to_string(root.join(shared))?)?);
    }
    let client = open(&db.owner_url()?).await?;
    let sql = "SELECT format('%s.%s %s%s', table_name, column_name, udt_name, CASE is_nullable WHEN 'YES' THEN '?' END) \
               FROM information_schema.columns \
               WHERE table_schema = current_schema() AND table_name <> '__diesel_schema_migrations'";
    let migrated: Vec<String> = client.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect();
    let only_code: Vec<_> = code.iter().filter(|column| !migrated.contains(column)).collect();
    let only_migrated: Vec<_> = migrated.iter().filter(|column| !code.contains(column)).collect();
    ensure!(
        only_code.is_empty() && only_migrated.is_empty(),
        "only in code: {only_code:?}; only in the schema: {only_migrated:?}"
    );
    Ok(())
}

/// Columns with their types, as `table.column type` with `?` for those that may be NULL.
fn columns_of_code(text: &str) -> anyhow::Result<Vec<String>> {
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
            "Uuid" => Some("uuid"),
            "Text" => Some("text"),
            "Timestamptz" => Some("timestamptz"),
            "BigInt" => Some("int8"),
            "Integer" => Some("int4"),
            "SmallInt" => Some("int2"),
            "Bool" => Some("bool"),
            "Jsonb" => Some("jsonb"),
            "Binary" | "Bytea" => Some("bytea"),
            _ => None,
        };
        let sql = sql.with_context(|| format!("{table}.{column} has a type that this check does not know: {kind}"))?;
        columns.push(format!("{table}.{column} {sql}{}", if inner.is_some() { "?" } else { "" }));
    }
    Ok(columns)
}

/// Every row of every table of the schema as text: for looking for what must not be stored.
///
/// # Errors
/// When the database does not answer.
pub async fn dump(db: &TestDb) -> anyhow::Result<String> {
    let superuser = open(db.admin_url()).await?;
    let mut text = String::new();
    for table in tables(db, "true").await? {
        let sql = format!("SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM {}.{table} t", db.schema);
        text.push_str(superuser.query_one(&sql, &[]).await?.try_get(0)?);
    }
    Ok(text)
}
