//! The set-up that needs a superuser, once: the database, roles with their passwords, schemas, extensions and grants.

use tokio_postgres::{Client, NoTls};
use url::Url;

use crate::target::Target;

/// The statements that need a superuser; operators can also run the file with psql.
pub const INIT_SQL: &str = include_str!("../../../deploy/postgres/init.sql");

/// Creates `database` when it is missing, runs `init.sql` (which may be repeated), and sets the passwords of
/// `(role, password)`.
///
/// # Errors
/// When the server cannot be reached or a statement fails.
pub async fn run(admin_url: &str, database: &str, passwords: &[(String, String)]) -> anyhow::Result<()> {
    let server = open(admin_url).await?;
    // Several processes may do this at once on a new cluster, and roles are shared by the whole cluster. They wait for each other when they
    // come from the same database, because advisory locks are those of a database.
    server.batch_execute("SELECT pg_advisory_lock(727069)").await?;
    let found = server.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&database]).await?;
    if found.is_none() {
        let make =
            "SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING ''UTF8'' LOCALE ''C.UTF-8''', $1::text)";
        let sql: String = server.query_one(make, &[&database]).await?.try_get(0)?;
        server.batch_execute(&sql).await?;
    }
    let inside = open(&with_database(admin_url, database)?).await?;
    inside.batch_execute(INIT_SQL).await?;
    for (role, password) in passwords {
        let set = "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)";
        let sql: String = inside.query_one(set, &[role, password]).await?.try_get(0)?;
        inside.batch_execute(&sql).await?;
    }
    Ok(())
}

/// The URL of another database on the same server.
///
/// # Errors
/// When `url` is not a URL.
pub fn with_database(url: &str, database: &str) -> anyhow::Result<String> {
    let mut url = Url::parse(url)?;
    url.set_path(database);
    Ok(url.into())
}

/// The URL of another database on the same server, for a role.
///
/// # Errors
/// When `url` is not a URL that can contain a role.
pub fn with_role(url: &str, database: &str, role: &str, password: &str) -> anyhow::Result<String> {
    let mut url = Url::parse(&with_database(url, database)?)?;
    let set = url.set_username(role).is_ok() && url.set_password(Some(password)).is_ok();
    anyhow::ensure!(set, "the URL cannot carry a role");
    Ok(url.into())
}

/// A plain connection for administration and tests; services use [`crate::Pool`].
///
/// # Errors
/// When the server cannot be reached.
pub async fn open(url: &str) -> anyhow::Result<Client> {
    let target = Target::parse(url)?;
    Ok(match target.tls {
        Some(tls) => {
            let (client, connection) = target.config.connect(tls).await?;
            tokio::spawn(connection);
            client
        }
        None => {
            let (client, connection) = target.config.connect(NoTls).await?;
            tokio::spawn(connection);
            client
        }
    })
}
