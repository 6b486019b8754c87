//! The scheduler-service binary: `scheduler-service` serves, `scheduler-service migrate` runs its migrations.

use std::process::ExitCode;

use scheduler_service::{Config, MIGRATIONS, start};
use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    kit_pg::service_main("scheduler-service", "SCHEDULER", MIGRATIONS, Config::from_env, start)
}
