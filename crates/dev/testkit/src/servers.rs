use std::path::PathBuf;

use anyhow::Context;
use sandbox::servers::{Postgres, PostgresOptions, Redis, RedisOptions, free_port};
use tokio::sync::OnceCell;

/// The database in which tests make their schemas.
const DATABASE: &str = "songlist_test";
/// The services whose roles get development passwords.
const SERVICES: [&str; 4] = ["auth", "songlist", "payments", "scheduler"];

/// The addresses of the servers that tests use.
#[derive(Debug)]
pub struct Servers {
    /// Superuser's URL of the test database.
    pub admin_url: String,
    pub redis_url: String,
    /// The servers of this process, when it had to start its own.
    _own: Option<(Postgres, Redis)>,
}

/// The servers of `TEST_DATABASE_URL` and `TEST_REDIS_URL`, as `make test` sets them; else throw-away servers that end with
/// this process.
///
/// # Errors
/// When they cannot be started or reached.
pub async fn servers() -> anyhow::Result<&'static Servers> {
    static SERVERS: OnceCell<Servers> = OnceCell::const_new();
    SERVERS.get_or_try_init(start).await
}

async fn start() -> anyhow::Result<Servers> {
    let mut env = kit::env::Env::process();
    let admin = env.opt("TEST_DATABASE_URL", "Superuser's URL of a PostgreSQL for tests");
    let redis = env.opt("TEST_REDIS_URL", "A Redis for tests");
    let (server_url, redis_url, own) = match (admin, redis) {
        (Some(admin), Some(redis)) => (admin, redis, None),
        _ => {
            let (postgres, redis) = start_own().await?;
            (postgres.admin_url("postgres"), redis.url(), Some((postgres, redis)))
        }
    };
    let admin_url = kit_pg::bootstrap::with_database(&server_url, DATABASE)?;
    if !is_prepared(&admin_url).await {
        let passwords: Vec<_> = roles().into_iter().map(|role| (role.clone(), format!("{role}_dev"))).collect();
        kit_pg::bootstrap::run(&server_url, DATABASE, &passwords).await.context("the test database cannot be made")?;
    }
    Ok(Servers { admin_url, redis_url, _own: own })
}

/// True when an earlier process has made the database and given every role its password, which it does last.
async fn is_prepared(admin_url: &str) -> bool {
    const WITH_PASSWORDS: &str = "SELECT count(*) FROM pg_authid WHERE rolname = ANY ($1) AND rolpassword IS NOT NULL";
    let Ok(client) = kit_pg::bootstrap::open(admin_url).await else { return false };
    let roles = roles();
    let found = client.query_one(WITH_PASSWORDS, &[&roles]).await;
    found.is_ok_and(|row| row.try_get::<_, i64>(0).is_ok_and(|ready| usize::try_from(ready) == Ok(roles.len())))
}

fn roles() -> Vec<String> {
    SERVICES.iter().flat_map(|svc| [format!("{svc}_rw"), format!("{svc}_owner")]).collect()
}

async fn start_own() -> anyhow::Result<(Postgres, Redis)> {
    let folder: PathBuf = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../target/test-servers")
        .join(kit::ids::random().simple().to_string());
    let postgres =
        Postgres::start(&PostgresOptions { folder: folder.join("postgres"), port: free_port()?, durable: false })
            .await?;
    let redis = Redis::start(&RedisOptions { folder: folder.join("redis"), port: free_port()? }).await?;
    Ok((postgres, redis))
}
