//! The gateway binary.

use std::process::ExitCode;

use gateway::{Config, start};
use kit::env::{EXIT_USAGE, Env};
use kit::lifecycle::StopTimes;
use kit::telemetry::LogConfig;
use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut env = Env::process();
    let (logs, times) = (LogConfig::from_env(&mut env), StopTimes::from_env(&mut env));
    let config = Config::from_env(&mut env);
    if let Err(problems) = env.finish() {
        eprint!("{problems}");
        return ExitCode::from(u8::try_from(EXIT_USAGE).unwrap_or(1));
    }
    let _flush = logs.install();
    // Actix serves HTTP on threads of its own; this thread keeps keys and revocations current and handles signals.
    let serve = kit::lifecycle::run(times, async |shutdown| start(config, shutdown).await.map(|_addresses| ()));
    kit::runtime::block_on(1, serve)
}
