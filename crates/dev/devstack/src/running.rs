use std::future::Future;
use std::time::Duration;

use kit::lifecycle::Shutdown;
use tokio::runtime::{Builder, Runtime};

/// One running service in a runtime of its own, so that it can be stopped with all its connections as by SIGKILL.
pub(crate) struct Running {
    shutdown: Shutdown,
    runtime: Option<Runtime>,
}

impl Running {
    /// Starts a service; returns when it accepts requests.
    pub(crate) async fn start<T, F>(start: impl FnOnce(Shutdown) -> F) -> anyhow::Result<Self>
    where
        F: Future<Output = anyhow::Result<T>> + Send + 'static,
        T: Send + 'static,
    {
        let shutdown = Shutdown::new();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let running = Self { runtime: Some(runtime), shutdown: shutdown.clone() };
        let work = start(shutdown);
        if let Some(runtime) = &running.runtime {
            runtime.spawn(work).await??;
        }
        Ok(running)
    }

    /// Asks the service to stop, as Ctrl-C does, and waits until it has.
    pub(crate) async fn stop(&self) {
        self.leave(Duration::ZERO).await;
    }

    /// Asks the service to stop, as SIGTERM does with this lame-duck time, and waits until it has.
    pub(crate) async fn leave(&self, lame_duck: Duration) {
        self.shutdown.draining.cancel();
        tokio::time::sleep(lame_duck).await;
        self.shutdown.soft.cancel();
        self.shutdown.finished(Duration::from_secs(25)).await;
    }

    /// Stops the service at once: nothing is finished, nothing is flushed, every connection breaks.
    pub(crate) fn kill(&mut self) {
        // Actix has threads of its own, which do not end with the runtime.
        self.shutdown.hard.cancel();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}
