//! The auth-service binary: `auth-service` serves, `auth-service migrate` runs its migrations.

use std::process::ExitCode;

use auth_service::{Config, MIGRATIONS, start};
use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    kit_pg::service_main("auth-service", "AUTH", MIGRATIONS, Config::from_env, start)
}
