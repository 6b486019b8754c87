//! The auth-service binary: `auth-service` serves, `auth-service migrate` runs its migrations.

use std::process::ExitCode;

use auth_service::{Config, MIGRATIONS, start};
use tikv_jemallocator::Jemalloc;

/// Returns the memory of password hashes to the system.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    kit_pg::service_main("auth-service", "AUTH", MIGRATIONS, Config::from_env, start).await
}
