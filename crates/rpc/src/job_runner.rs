use std::collections::HashSet;
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use kit::Error;
use kit::grpc::open;
use proto::common::job_runner_server::{JobRunner, JobRunnerServer};
use proto::common::{RunRequest, RunResponse};
use proto::tonic::{self, Request, Response, Status};

/// The only service that may start a job.
const SCHEDULER: &str = "scheduler";

struct Runner<F> {
    run: F,
    /// Names of jobs that run now.
    running: Mutex<HashSet<String>>,
}

/// A job that runs, until it is dropped.
struct Running<'a>(&'a Mutex<HashSet<String>>, String);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

/// The gRPC service by which the scheduler starts a job by its name; `run` returns a summary.
pub fn job_runner<F, Fut>(run: F) -> JobRunnerServer<impl JobRunner>
where
    F: Fn(String) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = kit::Result<String>> + Send + 'static,
{
    JobRunnerServer::new(Runner { run, running: Mutex::default() })
}

#[tonic::async_trait]
impl<F, Fut> JobRunner for Runner<F>
where
    F: Fn(String) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = kit::Result<String>> + Send + 'static,
{
    async fn run(&self, request: Request<RunRequest>) -> Result<Response<RunResponse>, Status> {
        let (caller, asked) = open(request)?;
        if caller.service()? != SCHEDULER {
            return Err(Error::forbidden().into());
        }
        // A job that takes longer than its interval is not started beside itself.
        if !self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(asked.name.clone()) {
            return Ok(Response::new(RunResponse { summary: "still running".to_owned() }));
        }
        let _running = Running(&self.running, asked.name.clone());
        Ok(Response::new(RunResponse { summary: (self.run)(asked.name).await? }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use kit::caller::Caller;
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn mf_05_a_job_is_not_started_beside_itself() {
        let go = Arc::new(Notify::new());
        let waits = go.clone();
        let runner = Arc::new(Runner {
            run: move |_name: String| {
                let waits = waits.clone();
                async move {
                    waits.notified().await;
                    Ok("done".to_owned())
                }
            },
            running: Mutex::default(),
        });
        let start = |name: &str| {
            let mut request = Request::new(RunRequest { name: name.to_owned() });
            request.extensions_mut().insert(Caller::system(SCHEDULER));
            let runner = runner.clone();
            async move { runner.run(request).await.unwrap().into_inner().summary }
        };
        let mut first = std::pin::pin!(start("poll"));
        assert!(tokio::time::timeout(Duration::from_millis(20), &mut first).await.is_err());
        assert_eq!(start("poll").await, "still running");
        go.notify_one();
        assert_eq!(first.await, "done");
        go.notify_one();
        assert_eq!(start("poll").await, "done", "and again when it has ended");
    }
}
