use std::time::Duration;

use kit::lifecycle::Shutdown;
use payments_service::{Addresses, Config, start};
use tokio::runtime::{Builder, Runtime};

/// The service on threads of its own, so that all that it does can end at any await, as in a crash.
pub(crate) struct Process {
    runtime: Option<Runtime>,
    shutdown: Shutdown,
    pub(crate) addresses: Addresses,
}

impl Process {
    /// Starts it; waits while a port is still that of a process that has crashed.
    pub(crate) async fn start(config: &Config) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let shutdown = Shutdown::new();
        for _ in 0..100 {
            let started = runtime.spawn(start(config.clone(), shutdown.clone())).await.unwrap();
            if let Ok(addresses) = started {
                return Self { runtime: Some(runtime), shutdown, addresses };
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        unreachable!("it does not start");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.shutdown.hard.cancel();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
