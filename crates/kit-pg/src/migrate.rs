//! Migrations: run as the owner role in a step of the release; a starting service checks with its runtime role that
//! none is pending.

use std::time::Duration;

use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncMigrationHarness, RunQueryDsl};
use diesel_migrations::MigrationHarness;
pub use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::connection::connect;
use crate::{Conn, PgConfig, Pool, Scope};

/// How long a starting service waits for its database.
const START: Duration = Duration::from_secs(10);

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

#[derive(QueryableByName)]
struct Ctype {
    #[diesel(sql_type = Text)]
    datctype: String,
}

/// Runs the pending migrations and returns their versions. A lock lets one process do this at a time, because diesel
/// has none.
///
/// # Errors
/// When the database cannot be reached, its locale would break search, or a migration fails.
pub async fn run(owner_url: &str, service: &str, migrations: EmbeddedMigrations) -> anyhow::Result<Vec<String>> {
    let mut conn = open(owner_url, service).await?;
    check_locale(&mut conn).await?;
    check_set_up(&mut conn).await?;
    let lock = service.bytes().fold(0_i64, |number, byte| number.wrapping_mul(31).wrapping_add(i64::from(byte)));
    // Another process waits here until this one is done, however long that takes.
    diesel::sql_query("SET lock_timeout = 0").execute(&mut conn).await?;
    diesel::sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>(lock).execute(&mut conn).await?;
    let worker = open(owner_url, service).await?;
    let versions = tokio::task::spawn_blocking(move || -> anyhow::Result<Vec<String>> {
        let mut harness = AsyncMigrationHarness::new(worker);
        let done = harness.run_pending_migrations(migrations).map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(done.iter().map(ToString::to_string).collect())
    })
    .await??;
    diesel::sql_query(HISTORY_IS_READ_ONLY).execute(&mut conn).await?;
    Ok(versions)
}

/// Default privileges let the runtime role write every table; it reads the history of migrations and never writes it.
const HISTORY_IS_READ_ONLY: &str = "DO $$
DECLARE
    grantee text;
BEGIN
    FOR grantee IN
        SELECT DISTINCT g.grantee FROM information_schema.role_table_grants g
        WHERE g.table_schema = current_schema() AND g.table_name = '__diesel_schema_migrations'
          AND g.grantee <> current_user AND g.privilege_type <> 'SELECT'
    LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON __diesel_schema_migrations FROM %I', grantee);
    END LOOP;
END $$";

/// Reverts every migration, the newest first: for the test that all of them are reversible.
///
/// # Errors
/// When a `down.sql` fails.
pub async fn revert_all(owner_url: &str, migrations: EmbeddedMigrations) -> anyhow::Result<()> {
    let conn = open(owner_url, "revert").await?;
    tokio::task::spawn_blocking(move || {
        AsyncMigrationHarness::new(conn)
            .revert_all_migrations(migrations)
            .map(|_done| ())
            .map_err(|e| anyhow::anyhow!("{e}"))
    })
    .await?
}

/// The embedded migrations that were not run on this database; a service does not start while there is one.
///
/// # Errors
/// When the history cannot be read: no migration was ever run, or the database is down.
pub async fn pending(pool: &Pool, migrations: &EmbeddedMigrations) -> anyhow::Result<Vec<String>> {
    let applied: Vec<String> = pool
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            Ok(__diesel_schema_migrations::table.select(__diesel_schema_migrations::version).load(conn).await?)
        })
        .await
        .map_err(|error| match error.source() {
            Some(source) => anyhow::anyhow!("the migration history cannot be read: {source:#}"),
            None => anyhow::anyhow!("the migration history cannot be read: {error}"),
        })?;
    let embedded: Vec<Box<dyn Migration<Pg>>> =
        migrations.migrations().map_err(|error| anyhow::anyhow!("embedded migrations: {error}"))?;
    let seen = |version: &MigrationVersion<'_>| applied.iter().any(|known| *known == version.to_string());
    Ok(embedded.iter().filter(|m| !seen(&m.name().version())).map(|m| m.name().to_string()).collect())
}

/// Fails when migrations are pending; the message names them. Waits for a database that is still starting.
///
/// # Errors
/// When a migration is pending or the history cannot be read.
pub async fn require_current(pool: &Pool, service: &str, migrations: &EmbeddedMigrations) -> anyhow::Result<()> {
    pool.wait_until_reachable(START).await;
    let pending = pending(pool, migrations).await?;
    anyhow::ensure!(pending.is_empty(), "pending migrations: {}; run `{service} migrate`", pending.join(", "));
    let leaking: Vec<Leaking> =
        pool.read(Scope::Worker, async |mut conn: &Conn| Ok(diesel::sql_query(LEAKING).load(&mut conn).await?)).await?;
    if !leaking.is_empty() {
        // The service works without them, so it starts after an upgrade of Postgres that has lost the marks.
        tracing::warn!(functions = names(leaking), "searches may read whole lists: run deploy/postgres/init.sql again");
    }
    Ok(())
}

/// Refuses the locales C and POSIX: in them, text in Devanagari or Tamil has no trigrams, so search would find nothing.
async fn check_locale(conn: &mut Conn) -> anyhow::Result<()> {
    let sql = "SELECT datctype::text FROM pg_database WHERE datname = current_database()";
    let found: Ctype = diesel::sql_query(sql).get_result(conn).await?;
    let broken = found.datctype == "C" || found.datctype == "POSIX";
    anyhow::ensure!(!broken, "the database has lc_ctype {}: make it with --locale=C.UTF-8", found.datctype);
    Ok(())
}

/// Refuses a database that was set up for an earlier release, or restored from a dump, which does not tell what is leakproof.
async fn check_set_up(conn: &mut Conn) -> anyhow::Result<()> {
    let leaking: Vec<Leaking> = diesel::sql_query(LEAKING).load(conn).await?;
    anyhow::ensure!(
        leaking.is_empty(),
        "{} must be there and leakproof, or searches read whole lists: run deploy/postgres/init.sql again, as a superuser",
        names(leaking)
    );
    Ok(())
}

fn names(functions: Vec<Leaking>) -> String {
    functions.into_iter().map(|function| function.name).collect::<Vec<_>>().join(", ")
}

#[derive(QueryableByName)]
struct Leaking {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The functions that conditions under row-level security need to reach an index, when they are missing or not marked as `init.sql`
/// does it.
pub const LEAKING: &str = "SELECT name FROM unnest(ARRAY[
        'pg_catalog.textlike(text, text)', 'pg_catalog.string_to_array(text, text)',
        'pg_catalog.arrayoverlap(anyarray, anyarray)', 'pg_catalog.arraycontains(anyarray, anyarray)',
        'extensions.similarity_op(text, text)', 'extensions.letters_and_pairs(text)'
    ]) AS name
    LEFT JOIN pg_proc p ON p.oid = to_regprocedure(name)
    WHERE p.proleakproof IS NOT TRUE ORDER BY 1";

async fn open(url: &str, service: &str) -> anyhow::Result<Conn> {
    let mut settings = PgConfig::of_url(url, &format!("{service}-migrate"));
    // An index of ten million rows takes minutes, on a small machine a quarter of an hour.
    settings.statement_timeout = Duration::from_secs(3_600);
    connect(url.to_owned(), settings)
        .await
        .map_err(|error| anyhow::anyhow!("cannot connect as the owner role: {error}"))
}
