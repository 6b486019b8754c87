//! The runtime of a service binary. A replica has one thread for requests by default: on a machine with few cores, a second thread
//! in each of five processes costs more in context switches than it gains.

use std::future::Future;
use std::process::ExitCode;

use tokio::runtime::Builder;

use crate::env::Env;

/// Reads `WORKERS`, the number of threads that serve requests.
pub fn workers_from_env(env: &mut Env) -> usize {
    let workers =
        env.get("WORKERS", 1_usize, "Threads of each service that serve requests; more on machines with many cores");
    if workers == 0 {
        env.problem("WORKERS must be at least 1");
    }
    workers.max(1)
}

/// Runs `service` until it ends on this many threads.
pub fn block_on(workers: usize, service: impl Future<Output = ExitCode>) -> ExitCode {
    let built = if workers == 1 {
        Builder::new_current_thread().enable_all().build()
    } else {
        Builder::new_multi_thread().worker_threads(workers).enable_all().build()
    };
    match built {
        Ok(runtime) => runtime.block_on(service),
        Err(error) => {
            eprintln!("the runtime cannot be started: {error}");
            ExitCode::FAILURE
        }
    }
}
