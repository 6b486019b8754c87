//! The payments-service binary: `payments-service` serves, `payments-service migrate` runs its migrations.

use std::process::ExitCode;

use payments_service::{Config, MIGRATIONS, start};

#[tokio::main]
async fn main() -> ExitCode {
    kit_pg::service_main("payments-service", "PAYMENTS", MIGRATIONS, Config::from_env, start).await
}
