//! Start and stop. After SIGTERM the service is no longer ready. After the lame-duck time the soft token asks all tasks
//! to finish; after the grace time the hard token cancels those that are left. A second signal cancels them at once. A
//! task that ends unexpectedly stops the service with a failing exit code.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Stops a service and keeps track of its tasks. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Cancelled when the service has to stop: accept nothing new, finish what is running.
    pub soft: CancellationToken,
    /// Cancelled last: stop at once.
    pub hard: CancellationToken,
    /// Cancelled as soon as a signal arrives: the service answers "not ready".
    pub draining: CancellationToken,
    tracker: TaskTracker,
    failed: Arc<AtomicBool>,
}

impl Shutdown {
    /// The state of a running service.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a task until it ends or the hard token cancels it. A task that ends before the soft token was cancelled,
    /// with an error or by a panic stops the whole service.
    pub fn spawn<F, E>(&self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: std::fmt::Display + Send + 'static,
    {
        let this = self.clone();
        let work = tokio::spawn({
            let hard = self.hard.clone();
            async move {
                tokio::select! {
                    () = hard.cancelled() => Ok(()),
                    outcome = task => outcome,
                }
            }
        });
        self.tracker.spawn(async move {
            let reason = match work.await {
                Ok(Ok(())) if this.soft.is_cancelled() || this.hard.is_cancelled() => return,
                Ok(Ok(())) => "it ended".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(panic) => panic.to_string(),
            };
            tracing::error!(task = name, reason, "a task stopped unexpectedly, the service stops");
            this.failed.store(true, Ordering::Relaxed);
            this.soft.cancel();
        });
    }

    /// Runs a function repeatedly until the soft token is cancelled, with a pause of `every` after each run.
    pub fn every<F, Fut>(&self, name: &'static str, every: Duration, mut tick: F)
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let soft = self.soft.clone();
        self.spawn(name, async move {
            loop {
                tokio::select! {
                    () = soft.cancelled() => return Ok::<(), std::convert::Infallible>(()),
                    () = async { tick().await; tokio::time::sleep(every).await } => {}
                }
            }
        });
    }

    /// Stops without lame-duck time: for tests and Ctrl-C.
    pub fn stop(&self) {
        self.draining.cancel();
        self.soft.cancel();
    }

    /// Waits until the soft token is cancelled, and then at most `grace` until every task has ended.
    pub async fn finished(&self, grace: Duration) {
        self.soft.cancelled().await;
        self.draining.cancel();
        self.tracker.close();
        if tokio::time::timeout(grace, self.tracker.wait()).await.is_err() {
            tracing::warn!("the grace time is over, what is left is cut");
            self.hard.cancel();
            let _ = tokio::time::timeout(Duration::from_secs(1), self.tracker.wait()).await;
        }
    }

    /// True when a task has ended unexpectedly.
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Reacts to SIGTERM and SIGINT in the background.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
    pub fn follow_signals(&self, lame_duck: Duration) -> std::io::Result<()> {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let this = self.clone();
        tokio::spawn(async move {
            let waits = tokio::select! {
                _ = terminate.recv() => lame_duck,
                _ = interrupt.recv() => Duration::ZERO,
            };
            this.draining.cancel();
            tokio::select! {
                () = tokio::time::sleep(waits) => this.soft.cancel(),
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            this.soft.cancel();
            this.hard.cancel();
        });
        Ok(())
    }
}

/// The lame-duck and grace times, from `SHUTDOWN_LAME_DUCK_MS` and `SHUTDOWN_GRACE_MS`.
#[derive(Clone, Copy, Debug)]
pub struct StopTimes {
    pub lame_duck: Duration,
    pub grace: Duration,
}

impl StopTimes {
    /// Reads the two variables.
    pub fn from_env(env: &mut crate::env::Env) -> Self {
        let lame_duck = env.get(
            "SHUTDOWN_LAME_DUCK_MS",
            0,
            "After SIGTERM: answer \"not ready\" this long before refusing work, in ms",
        );
        let grace =
            env.get("SHUTDOWN_GRACE_MS", 25_000, "Time for requests under way to finish before they are cut, in ms");
        Self { lame_duck: Duration::from_millis(lame_duck), grace: Duration::from_millis(grace) }
    }
}

/// Runs a service after its configuration was read: starts it, reacts to signals and waits for the end.
pub async fn run<E: std::fmt::Display>(
    times: StopTimes,
    start: impl AsyncFnOnce(Shutdown) -> Result<(), E>,
) -> ExitCode {
    let shutdown = Shutdown::new();
    if let Err(error) = shutdown.follow_signals(times.lame_duck) {
        tracing::error!(%error, "signals cannot be followed");
        return ExitCode::FAILURE;
    }
    if let Err(error) = start(shutdown.clone()).await {
        tracing::error!(%error, "the service did not start");
        return ExitCode::FAILURE;
    }
    shutdown.finished(times.grace).await;
    if shutdown.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_in_a_task_stops_the_service_and_is_told() {
        let shutdown = Shutdown::new();
        shutdown.spawn("boom", async { if true { panic!("boom") } else { Ok::<(), String>(()) } });
        shutdown.finished(Duration::from_secs(1)).await;
        assert!(shutdown.failed());
    }

    #[tokio::test]
    async fn a_task_that_does_not_end_is_cut_after_the_grace_time() {
        let shutdown = Shutdown::new();
        shutdown.spawn("stuck", std::future::pending::<Result<(), String>>());
        shutdown.stop();
        shutdown.finished(Duration::from_millis(10)).await;
        assert!(shutdown.hard.is_cancelled() && !shutdown.failed());
    }
}
