use std::future::Future;

use kit::Error;
use kit::grpc::open;
use proto::common::job_runner_server::{JobRunner, JobRunnerServer};
use proto::common::{RunRequest, RunResponse};
use proto::tonic::{self, Request, Response, Status};

/// The only service that may start a job.
const SCHEDULER: &str = "scheduler";

struct Runner<F>(F);

/// The gRPC service by which the scheduler starts a job by its name; `run` returns a summary.
pub fn job_runner<F, Fut>(run: F) -> JobRunnerServer<impl JobRunner>
where
    F: Fn(String) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = kit::Result<String>> + Send + 'static,
{
    JobRunnerServer::new(Runner(run))
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
        Ok(Response::new(RunResponse { summary: (self.0)(asked.name).await? }))
    }
}
