use kit::grpc::open;
use proto::scheduler::jobs_server::{Jobs, JobsServer};
use proto::scheduler::{Job, ListJobsRequest, ListJobsResponse, RunNowRequest, RunNowResponse};
use proto::time::{opt_to_proto, to_proto};
use proto::tonic::{Request, Response, Status};

use crate::App;
use crate::domain::jobs;
use crate::store::jobs::Job as Row;

struct Grpc(App);

pub(super) fn service(app: &App) -> JobsServer<impl Jobs> {
    JobsServer::new(Grpc(app.clone()))
}

fn message(row: Row) -> Job {
    Job {
        name: row.name,
        service: row.service,
        schedule: format!("every {}s", row.every_secs),
        enabled: row.enabled,
        next_run_at: to_proto(row.next_run_at),
        last_run_at: opt_to_proto(row.last_run_at),
        last_result: row.last_result,
    }
}

#[tonic::async_trait]
impl Jobs for Grpc {
    async fn list(&self, request: Request<ListJobsRequest>) -> Result<Response<ListJobsResponse>, Status> {
        let (caller, _) = open(request)?;
        let found = jobs::list(&self.0, &caller).await?;
        Ok(Response::new(ListJobsResponse { jobs: found.into_iter().map(message).collect() }))
    }

    async fn run_now(&self, request: Request<RunNowRequest>) -> Result<Response<RunNowResponse>, Status> {
        let (caller, asked) = open(request)?;
        let result = jobs::run_now(&self.0, &caller, &asked.name).await?;
        Ok(Response::new(RunNowResponse { result }))
    }
}
