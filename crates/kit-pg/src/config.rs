use std::time::Duration;

use kit::Secret;
use kit::env::Env;
use url::Url;

use crate::target::Target;

const NO_CONNECTION: Duration = Duration::from_millis(500);

/// Where a service's database is and how it is used.
#[derive(Clone, Debug)]
pub struct PgConfig {
    /// `postgres://` URL of the runtime role; options such as `search_path` are honoured.
    pub url: Secret,
    /// The most connections that the pool opens.
    pub max_connections: u32,
    /// The longest a statement may run.
    pub statement_timeout: Duration,
    /// How long a request waits while no connection is open: the database is away, or this is the first use.
    pub without_connection: Duration,
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
}

impl PgConfig {
    /// Reads `<SVC>_DATABASE_URL`, or builds it from `DB_HOST`, `DB_PORT`, `DB_NAME`, `<SVC>_DB_USER`,
    /// `<SVC>_DB_PASSWORD`.
    pub fn from_env(env: &mut Env, svc: &str) -> Self {
        Self {
            url: database_url(env, svc, &format!("{svc}_DATABASE_URL"), "DB", "rw"),
            max_connections: env.get(
                &format!("{svc}_DB_POOL"),
                8,
                "Postgres connections of the service, at most; songlist-service opens one more for imports",
            ),
            statement_timeout: Duration::from_secs(5),
            without_connection: NO_CONNECTION,
            application_name: format!("{}-service", svc.to_lowercase()),
        }
    }

    /// The URL for the role that owns the schema: `<SVC>_MIGRATE_DATABASE_URL`, or built from the same variables.
    pub fn owner_from_env(env: &mut Env, svc: &str) -> Secret {
        database_url(env, svc, &format!("{svc}_MIGRATE_DATABASE_URL"), "OWNER_DB", "owner")
    }

    /// The same for one connection of its own, for work that would keep others waiting in the pool; `work` names it in
    /// `pg_stat_activity`. Such a connection is often not open: it was idle, or work on it was given up.
    #[must_use]
    pub fn for_bulk_work(&self, work: &str) -> Self {
        let application_name = format!("{} {work}", self.application_name);
        Self { max_connections: 1, application_name, without_connection: Duration::from_secs(10), ..self.clone() }
    }

    /// The settings for a URL, as tests need them.
    pub fn of_url(url: &str, application_name: &str) -> Self {
        Self {
            url: Secret::new(url),
            max_connections: 4,
            statement_timeout: Duration::from_secs(10),
            without_connection: NO_CONNECTION,
            application_name: application_name.to_owned(),
        }
    }
}

fn database_url(env: &mut Env, svc: &str, url_name: &str, part: &str, role: &str) -> Secret {
    let host = env.text(
        "DB_HOST",
        "127.0.0.1",
        "Postgres host; the DB_* parts serve every service that has no URL of its own",
    );
    let port = env.get("DB_PORT", 5432_u16, "Postgres port");
    let name = env.text("DB_NAME", "songlist", "Postgres database");
    let lower = svc.to_lowercase();
    let user = env.text(&format!("{svc}_{part}_USER"), &format!("{lower}_{role}"), "Role of the service in Postgres");
    let (name_of_password, about) = (format!("{svc}_{part}_PASSWORD"), "Password of that role");
    let default = format!("{lower}_{role}_dev");
    if let Some(url) = env.opt(url_name, "Whole postgres:// URL; wins over the parts. sslmode=require verifies the server by public authorities or those of sslrootcert (PEM file)") {
        env.development_secret(&name_of_password, &default, about);
        require_tls(env, url_name, &url);
        return Secret::new(url);
    }
    let password = env.secret(&name_of_password, &default, 16, about);
    if !env.may_be_plain("postgres", &host) {
        env.problem(format!("{url_name} is needed: DB_HOST is reached without TLS (or set ALLOW_PLAINTEXT=postgres)"));
    }
    let mut url = match Url::parse("postgres://localhost/") {
        Ok(url) => url,
        Err(error) => {
            env.problem(format!("{url_name}: {error}"));
            return Secret::default();
        }
    };
    let built = url.set_host(Some(&host)).is_ok()
        && url.set_port(Some(port)).is_ok()
        && url.set_username(&user).is_ok()
        && url.set_password(Some(password.expose())).is_ok();
    url.set_path(&name);
    if !built {
        env.problem(format!("DB_HOST, DB_PORT or {svc}_{part}_USER do not make a URL"));
    }
    Secret::new(url.as_str())
}

/// Refuses a URL that would be used without TLS where that is not allowed.
fn require_tls(env: &mut Env, name: &str, url: &str) {
    let Ok(parsed) = Url::parse(url) else {
        env.problem(format!("{name} is not a postgres:// URL"));
        return;
    };
    if let Err(error) = Target::parse(url) {
        env.problem(format!("{name}: {error:#}"));
    }
    let host = parsed.host_str().unwrap_or_default();
    let mode = parsed.query_pairs().find(|(key, _)| key == "sslmode").map(|(_, mode)| mode.into_owned());
    // With `require` the certificate and the name are verified here too.
    let encrypted = matches!(mode.as_deref(), Some("require" | "verify-full"));
    if !encrypted && !host.is_empty() && !env.may_be_plain("postgres", host) {
        env.problem(format!("{name} has no sslmode=require (or set ALLOW_PLAINTEXT=postgres)"));
    }
}
