//! The songlist-service binary: `songlist-service` serves, `songlist-service migrate` runs its migrations.

use std::process::ExitCode;

use songlist_service::{Config, MIGRATIONS, start};

#[tokio::main]
async fn main() -> ExitCode {
    kit_pg::service_main("songlist-service", "SONGLIST", MIGRATIONS, Config::from_env, start).await
}
