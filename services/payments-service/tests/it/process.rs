use kit::lifecycle::Shutdown;
use payments_service::{Addresses, Config, start};
use testkit::eventually_ok;
use tokio::runtime::{Builder, Runtime};

/// The service on threads of its own, so that all that it does can end at any await, as in a crash.
pub(crate) struct Process {
    _running: Running,
    pub(crate) addresses: Addresses,
}

/// A runtime that drops what runs in it when it is dropped.
struct Running {
    runtime: Option<Runtime>,
    shutdown: Shutdown,
}

impl Process {
    /// Starts it; waits while a port is still that of a process that has crashed.
    pub(crate) async fn start(config: &Config) -> Self {
        eventually_ok("the service starts", || async {
            let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
            let shutdown = Shutdown::new();
            let started = runtime.spawn(start(config.clone(), shutdown.clone()));
            let running = Running { runtime: Some(runtime), shutdown };
            anyhow::Ok(Self { addresses: started.await??, _running: running })
        })
        .await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.hard.cancel();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
