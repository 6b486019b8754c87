use std::net::SocketAddr;
use std::time::Duration;

use kit::lifecycle::Shutdown;

/// One running service, and how it is stopped.
pub(crate) struct Running {
    pub addr: SocketAddr,
    pub shutdown: Shutdown,
}

impl Running {
    /// Cuts everything at once, as SIGKILL would: nothing is finished, nothing is flushed.
    pub(crate) async fn kill(&self) {
        self.shutdown.hard.cancel();
        self.shutdown.stop();
        self.shutdown.finished(Duration::from_secs(5)).await;
    }
}
