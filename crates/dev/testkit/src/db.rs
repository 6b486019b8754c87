use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Context;
use kit_pg::migrate::EmbeddedMigrations;
use kit_pg::{PgConfig, bootstrap, migrate};
use url::Url;

use crate::servers;

/// A schema with one service's tables for one test, dropped at its end unless it is a shared one. Tests connect as the
/// service's runtime role, because row-level security does not apply to a superuser.
#[derive(Debug)]
pub struct TestDb {
    pub schema: String,
    service: &'static str,
    admin_url: String,
    is_shared: bool,
}

impl TestDb {
    /// Makes a schema for `service` (`auth`, `songlist`, …) and runs the migrations as the owner role.
    ///
    /// # Errors
    /// When the servers cannot be started or a migration fails.
    pub async fn new(service: &'static str, migrations: EmbeddedMigrations) -> anyhow::Result<Self> {
        let db = Self::empty(service).await?;
        migrate::run(&db.owner_url()?, service, migrations).await?;
        db.check_role().await?;
        Ok(db)
    }

    /// The schema without any table.
    ///
    /// # Errors
    /// When the servers cannot be started.
    pub async fn empty(service: &'static str) -> anyhow::Result<Self> {
        let admin_url = servers().await?.admin_url.clone();
        let id = kit::ids::random().simple().to_string();
        let schema = format!("t_{}_{service}", id.get(..16).unwrap_or(&id));
        let db = Self { schema, service, admin_url, is_shared: false };
        db.create(&bootstrap::open(&db.admin_url).await?).await?;
        Ok(db)
    }

    /// A schema that the first test to ask for it makes and fills, for tests that only read: one with many rows takes long to
    /// make. It stays until the servers end, or for ever on servers of one's own.
    ///
    /// # Errors
    /// When the servers cannot be started, a migration fails, or `fill` does.
    pub async fn shared<F>(
        name: &str,
        service: &'static str,
        migrations: EmbeddedMigrations,
        fill: F,
    ) -> anyhow::Result<Self>
    where
        F: AsyncFnOnce(&Self) -> anyhow::Result<()>,
    {
        let admin_url = servers().await?.admin_url.clone();
        // Servers that outlive a run must not have the rows of an earlier build for it.
        let built = std::env::current_exe()?.metadata()?.modified()?.duration_since(UNIX_EPOCH)?.as_secs();
        let db = Self { schema: format!("shared_{service}_{name}_{built}"), service, admin_url, is_shared: true };
        let admin = bootstrap::open(&db.admin_url).await?;
        // Held until this connection ends. Waiting in a statement would keep what others delete from being vacuumed.
        let lock = "SELECT pg_try_advisory_lock(hashtext($1))";
        while !admin.query_one(lock, &[&db.schema]).await?.try_get::<_, bool>(0)? {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let is_filled = "SELECT obj_description(to_regnamespace($1), 'pg_namespace') IS NOT NULL";
        if !admin.query_one(is_filled, &[&db.schema]).await?.try_get::<_, bool>(0)? {
            admin.batch_execute(&format!("DROP SCHEMA IF EXISTS {} CASCADE", db.schema)).await?;
            db.create(&admin).await?;
            migrate::run(&db.owner_url()?, service, migrations).await?;
            db.check_role().await?;
            fill(&db).await?;
            admin.batch_execute(&format!("COMMENT ON SCHEMA {} IS 'filled'", db.schema)).await?;
        }
        Ok(db)
    }

    async fn create(&self, admin: &tokio_postgres::Client) -> anyhow::Result<()> {
        let Self { schema, service, .. } = self;
        let create = format!(
            "CREATE SCHEMA {schema} AUTHORIZATION {service}_owner; GRANT USAGE ON SCHEMA {schema} TO {service}_rw"
        );
        admin.batch_execute(&create).await.context("the test schema cannot be made")
    }

    /// URL of the runtime role.
    ///
    /// # Errors
    /// When the URL of the server cannot be parsed.
    pub fn url(&self) -> anyhow::Result<String> {
        self.role_url("rw")
    }

    /// URL of the role that owns the schema.
    ///
    /// # Errors
    /// When the URL of the server cannot be parsed.
    pub fn owner_url(&self) -> anyhow::Result<String> {
        self.role_url("owner")
    }

    /// The superuser's URL of the database, for reading rows without row-level security. Names of tables need the
    /// schema.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    fn role_url(&self, kind: &str) -> anyhow::Result<String> {
        let mut url = Url::parse(&self.admin_url)?;
        let role = format!("{}_{kind}", self.service);
        let set = url.set_username(&role).is_ok() && url.set_password(Some(&format!("{role}_dev"))).is_ok();
        anyhow::ensure!(set, "the URL cannot carry a role");
        url.set_query(Some(&format!("sslmode=disable&options=--search_path%3D{},extensions", self.schema)));
        Ok(url.into())
    }

    /// Pool settings of the runtime role.
    ///
    /// # Errors
    /// When the URL of the server cannot be parsed.
    pub fn config(&self) -> anyhow::Result<PgConfig> {
        Ok(PgConfig::of_url(&self.url()?, self.service))
    }

    async fn check_role(&self) -> anyhow::Result<()> {
        let client = bootstrap::open(&self.url()?).await?;
        let row =
            client.query_one("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user", &[]).await?;
        anyhow::ensure!(!row.try_get::<_, bool>(0)?, "tests must not connect as a role that row-level security spares");
        Ok(())
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        if self.is_shared {
            return;
        }
        let (url, schema) = (self.admin_url.clone(), self.schema.clone());
        let dropper = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let admin = bootstrap::open(&url).await?;
                admin
                    .batch_execute(&format!("SET lock_timeout = '2s'; DROP SCHEMA IF EXISTS {schema} CASCADE"))
                    .await?;
                anyhow::Ok(())
            })
        });
        // A schema that could not be dropped is no failure: the throw-away servers end with the run.
        let _ = dropper.join();
    }
}
