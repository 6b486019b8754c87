use std::process::ExitCode;

use kit::env::{ConfigError, EXIT_USAGE, Env};
use kit::lifecycle::{Shutdown, StopTimes};
use kit::telemetry::LogConfig;
use kit::{Secret, runtime};

use crate::PgConfig;
use crate::migrate::{self, EmbeddedMigrations};

/// The `main` of a service with a database: `serve` (the default), or `migrate` as the role that owns the schema.
pub fn service_main<C, A>(
    name: &'static str,
    svc: &'static str,
    migrations: EmbeddedMigrations,
    config: fn(&mut Env) -> C,
    start: impl AsyncFnOnce(C, Shutdown) -> anyhow::Result<A>,
) -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut env = Env::process();
    env.choice(
        "APP_ENV",
        &["development", "production"],
        "development",
        "production refuses default and short secrets",
    );
    let logs = LogConfig::from_env(&mut env);
    match std::env::args().nth(1).as_deref() {
        None | Some("serve") => {
            let (times, workers) = (StopTimes::from_env(&mut env), runtime::workers_from_env(&mut env));
            let config = config(&mut env);
            if let Err(problems) = env.finish() {
                return refuse(&problems);
            }
            let _flush = logs.install();
            let serve = kit::lifecycle::run(times, async |shutdown| start(config, shutdown).await.map(|_addresses| ()));
            runtime::block_on(workers, Box::pin(serve))
        }
        Some("migrate") => {
            let url = PgConfig::owner_from_env(&mut env, svc);
            if let Err(problems) = env.finish() {
                return refuse(&problems);
            }
            let _flush = logs.install();
            runtime::block_on(1, run_migrations(name, url, migrations))
        }
        Some(other) => {
            eprintln!("{name}: unknown command `{other}`; say nothing to serve, or `migrate`");
            ExitCode::from(u8::try_from(EXIT_USAGE).unwrap_or(1))
        }
    }
}

async fn run_migrations(name: &'static str, url: Secret, migrations: EmbeddedMigrations) -> ExitCode {
    match migrate::run(url.expose(), name, migrations).await {
        Ok(done) => {
            tracing::info!(migrations = ?done, "the schema is current");
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the migrations failed");
            ExitCode::FAILURE
        }
    }
}

fn refuse(problems: &ConfigError) -> ExitCode {
    eprint!("{problems}");
    ExitCode::from(u8::try_from(EXIT_USAGE).unwrap_or(1))
}
