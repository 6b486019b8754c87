use std::path::Path;

use anyhow::Context;
use kit::env::Env;
use kit_pg::{bootstrap, migrate};
use sandbox::servers::{Postgres, PostgresOptions, Redis, RedisOptions, free_port};

use crate::migrate::SERVICES;

const DATABASE: &str = "songlist";

/// PostgreSQL and Redis of a development stack: private ones, or those that the environment names.
pub(super) struct Servers {
    admin_url: String,
    redis_url: String,
    pub postgres: Option<Postgres>,
    pub redis: Option<Redis>,
    /// Id of the demonstration's tenant, once it was seeded.
    pub demo_tenant: String,
}

impl Servers {
    pub(super) async fn start(env: &mut Env, folder: &Path) -> anyhow::Result<Self> {
        let admin = env.opt("DATABASE_ADMIN_URL", "A PostgreSQL to use instead of a private one (superuser's URL)");
        let given_redis = env.opt("REDIS_URL", "A Redis to use instead of a private one");
        let postgres = match &admin {
            Some(_) => None,
            None => {
                let options = PostgresOptions { folder: folder.join("postgres"), port: free_port()?, durable: true };
                Some(Postgres::start(&options).await?)
            }
        };
        let redis = match &given_redis {
            Some(_) => None,
            None => Some(Redis::start(&RedisOptions { folder: folder.join("redis"), port: free_port()? }).await?),
        };
        let own_admin = postgres.as_ref().map(|server| server.admin_url("postgres"));
        let own_redis = redis.as_ref().map(Redis::url);
        Ok(Self {
            admin_url: admin.or(own_admin).unwrap_or_default(),
            redis_url: given_redis.or(own_redis).unwrap_or_default(),
            postgres,
            redis,
            demo_tenant: String::new(),
        })
    }

    pub(super) fn redis_url(&self) -> String {
        self.redis_url.clone()
    }

    /// The database's URL for a role with its development password.
    pub(super) fn url_of(&self, role: &str) -> String {
        let whole = bootstrap::with_role(&self.admin_url, DATABASE, role, &format!("{role}_dev"));
        whole.unwrap_or_default()
    }

    /// The superuser's URL of SongList's database.
    pub(super) fn database_admin_url(&self) -> String {
        bootstrap::with_database(&self.admin_url, DATABASE).unwrap_or_default()
    }

    /// Makes database, roles and schemas, and runs the migrations.
    pub(super) async fn prepare(&self, variables: &[(String, String)]) -> anyhow::Result<()> {
        let roles = SERVICES.iter().flat_map(|(_, name, _)| [format!("{name}_rw"), format!("{name}_owner")]);
        let passwords: Vec<(String, String)> = roles.map(|role| (role.clone(), format!("{role}_dev"))).collect();
        bootstrap::run(&self.admin_url, DATABASE, &passwords).await.context("the database cannot be prepared")?;
        for (svc, name, migrations) in SERVICES {
            let variable = format!("{svc}_MIGRATE_DATABASE_URL");
            let url =
                variables.iter().find(|(known, _)| *known == variable).map(|(_, url)| url.as_str()).unwrap_or_default();
            migrate::run(url, name, migrations).await.with_context(|| format!("{name}-service: migrations"))?;
        }
        Ok(())
    }
}
