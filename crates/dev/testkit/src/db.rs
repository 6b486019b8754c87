use std::thread;

use anyhow::Context;
use kit_pg::migrate::EmbeddedMigrations;
use kit_pg::{PgConfig, bootstrap, migrate};
use url::Url;

use crate::servers;

/// A schema with one service's tables for one test, dropped at its end. Tests connect as the service's runtime role,
/// because row-level security does not apply to a superuser.
#[derive(Debug)]
pub struct TestDb {
    pub schema: String,
    service: &'static str,
    admin_url: String,
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
        let admin = bootstrap::open(&admin_url).await?;
        admin
            .batch_execute(&format!(
                "CREATE SCHEMA {schema} AUTHORIZATION {service}_owner; GRANT USAGE ON SCHEMA {schema} TO {service}_rw"
            ))
            .await
            .context("the test schema cannot be made")?;
        Ok(Self { schema, service, admin_url })
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
