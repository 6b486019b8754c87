//! How a listener ends: when its last call has, not when its last connection has. A client that is connected and silent must
//! not hold up the end of a service (<https://github.com/hyperium/hyper/issues/4170>).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How long there must have been no call: one that was sent before the client has read GOAWAY still arrives.
const SETTLE: Duration = Duration::from_millis(500);
/// How often it is looked whether there is a call.
const LOOK: Duration = Duration::from_millis(50);

/// Counts what is under way. Clones share the count.
#[derive(Clone, Debug, Default)]
pub struct UnderWay(Arc<AtomicUsize>);

/// One call or request, until it is dropped.
#[derive(Debug)]
pub struct Guard {
    count: Arc<AtomicUsize>,
    counted: bool,
}

impl UnderWay {
    /// Counts a call until the guard is dropped.
    #[must_use]
    pub fn guard(&self) -> Guard {
        let mut guard = Guard { count: self.0.clone(), counted: false };
        guard.resume();
        guard
    }

    /// Waits until the listener has to stop and nothing has been under way for half a second.
    pub async fn ended_after(&self, soft: &CancellationToken) {
        soft.cancelled().await;
        let mut quiet = Duration::ZERO;
        while quiet < SETTLE {
            tokio::time::sleep(LOOK).await;
            quiet = if self.0.load(Ordering::Relaxed) == 0 { quiet + LOOK } else { Duration::ZERO };
        }
    }
}

impl Guard {
    /// Does not count while its client is silent.
    pub fn pause(&mut self) {
        if std::mem::take(&mut self.counted) {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Counts again.
    pub fn resume(&mut self) {
        if !std::mem::replace(&mut self.counted, true) {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.pause();
    }
}
