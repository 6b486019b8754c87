//! A thread for work that takes long and may wait: on the threads that serve requests, each of its steps would delay them.

use std::future::Future;
use std::io;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use crate::{Error, deadline};

/// A tenth of the normal priority. With the lowest one (19) the work would starve while requests use every core.
const NICE: i32 = 10;

/// A thread with a low priority and a runtime of its own. It ends when this is dropped.
///
/// Connections that work opens on it are served by it, so they must not be shared with requests.
pub struct BulkThread {
    runtime: Handle,
    _end: oneshot::Sender<()>,
}

impl BulkThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub fn start(name: &str) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (handle, (end, ended)) = (runtime.handle().clone(), oneshot::channel::<()>());
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            // On Linux this sets the priority of the calling thread, elsewhere that of the process. Work is done without it too, so an
            // error is ignored.
            let _ = rustix::process::setpriority_process(None, NICE);
            let _ = runtime.block_on(ended);
        })?;
        Ok(Self { runtime: handle, _end: end })
    }

    /// Does work of a request there, with the request's deadline and span. The work ends where it stands when the request is given up.
    ///
    /// # Errors
    /// Those of the work; `Unavailable` when the thread has ended.
    ///
    /// # Panics
    /// When the work does, so that its panic is counted where those of requests are.
    pub async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        let (left, span) = (deadline::remaining(), tracing::Span::current());
        let work = async move {
            match left {
                Some(left) => deadline::within(left, work).await,
                None => work.await,
            }
        };
        let done = AbortOnDropHandle::new(self.runtime.spawn(work.instrument(span)));
        match done.await {
            Ok(outcome) => outcome,
            Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
            Err(failed) => Err(Error::unavailable(anyhow::anyhow!("the bulk thread has ended: {failed}"))),
        }
    }
}

/// Lets others have the processor, and other work of this thread have its turn; for work that has computed for some tenths of a
/// millisecond. Linux takes a thread off a processor as rarely as every 4 ms, whatever its priority.
pub async fn give_way() {
    std::thread::yield_now();
    tokio::task::yield_now().await;
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn work_is_done_on_the_thread_with_the_deadline_of_the_request() {
        let thread = BulkThread::start("imports").unwrap();
        let work = async { Ok((std::thread::current().name().map(str::to_owned), deadline::remaining())) };
        let (name, left) = deadline::within(Duration::from_secs(60), thread.run(work)).await.unwrap();
        assert_eq!(name.as_deref(), Some("imports"));
        assert!(left.unwrap() > Duration::from_secs(50));
    }

    #[tokio::test]
    async fn work_ends_when_its_request_is_given_up_and_a_panic_ends_nothing_else() {
        let thread = BulkThread::start("imports").unwrap();
        let (held, dropped) = oneshot::channel::<()>();
        let forever = async move {
            let _held = held;
            std::future::pending::<Result<(), Error>>().await
        };
        assert!(tokio::time::timeout(Duration::from_millis(20), thread.run(forever)).await.is_err());
        assert!(dropped.await.is_err(), "what the work held is gone");
        let panicked = AssertUnwindSafe(thread.run(async { Err::<(), _>(panics()) })).catch_unwind().await;
        assert!(panicked.is_err(), "the request panics too");
        assert_eq!(thread.run(async { Ok(7) }).await.unwrap(), 7);
    }

    fn panics() -> Error {
        panic!("by intent")
    }
}
