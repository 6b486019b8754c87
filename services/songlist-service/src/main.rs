//! The songlist-service binary: `songlist-service` serves, `songlist-service migrate` runs its migrations.

use std::process::ExitCode;

use songlist_service::{Config, MIGRATIONS, start};
use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    kit_pg::service_main("songlist-service", "SONGLIST", MIGRATIONS, Config::from_env, start)
}
