use anyhow::Context;
use kit::env::Env;
use kit_pg::migrate::EmbeddedMigrations;
use kit_pg::{PgConfig, migrate};

use crate::say;

/// Every service with a database: the prefix of its variables, its name, its migrations.
pub(crate) const SERVICES: [(&str, &str, EmbeddedMigrations); 4] = [
    ("AUTH", "auth", auth_service::MIGRATIONS),
    ("SONGLIST", "songlist", songlist_service::MIGRATIONS),
    ("PAYMENTS", "payments", payments_service::MIGRATIONS),
    ("SCHEDULER", "scheduler", scheduler_service::MIGRATIONS),
];

/// Runs the pending migrations of every service, or of one.
pub(crate) async fn run(env: &mut Env, only: Option<&str>) -> anyhow::Result<()> {
    let known = only.is_none_or(|name| SERVICES.iter().any(|(_, service, _)| *service == name));
    anyhow::ensure!(known, "no such service; say auth, songlist, payments or scheduler");
    for (svc, name, migrations) in SERVICES {
        if only.is_some_and(|wanted| wanted != name) {
            continue;
        }
        let url = PgConfig::owner_from_env(env, svc);
        env.finish()?;
        let done = migrate::run(url.expose(), name, migrations).await.with_context(|| format!("{name}-service"))?;
        say(&format!("{name}-service: {} migrations run, the schema is current", done.len()));
    }
    Ok(())
}
