//! The payments-service binary: `payments-service` serves, `payments-service migrate` runs its migrations.

use std::process::ExitCode;

use payments_service::{Config, MIGRATIONS, start};
use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    kit_pg::service_main("payments-service", "PAYMENTS", MIGRATIONS, Config::from_env, start)
}
