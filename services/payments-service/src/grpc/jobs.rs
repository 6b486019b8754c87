use kit::grpc::open;
use proto::common::job_runner_server::{JobRunner, JobRunnerServer};
use proto::common::{RunRequest, RunResponse};
use proto::tonic::{Request, Response, Status};

use crate::{App, jobs};

struct Grpc(App);

pub(super) fn service(app: &App) -> JobRunnerServer<impl JobRunner> {
    JobRunnerServer::new(Grpc(app.clone()))
}

#[tonic::async_trait]
impl JobRunner for Grpc {
    async fn run(&self, request: Request<RunRequest>) -> Result<Response<RunResponse>, Status> {
        let (caller, asked) = open(request)?;
        caller.service()?;
        Ok(Response::new(RunResponse { summary: jobs::run(&self.0, &asked.name).await? }))
    }
}
