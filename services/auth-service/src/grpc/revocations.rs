use std::pin::Pin;

use kit::grpc::open;
use kit::lifecycle::Shutdown;
use proto::auth::revocations_server::{Revocations, RevocationsServer};
use proto::auth::{Revocation, RevocationNews, WatchRevocationsRequest};
use proto::tonic::{Request, Response, Status};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};

use crate::App;
use crate::domain::revocations;

struct Grpc(App, Shutdown);

pub(super) fn service(app: &App, shutdown: &Shutdown) -> RevocationsServer<impl Revocations> {
    RevocationsServer::new(Grpc(app.clone(), shutdown.clone()))
}

#[tonic::async_trait]
impl Revocations for Grpc {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<RevocationNews, Status>> + Send>>;

    async fn watch(&self, request: Request<WatchRevocationsRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (caller, _) = open(request)?;
        caller.service()?;
        let updates = ReceiverStream::new(revocations::watch(&self.0, &self.1)).map(|update| {
            let revocations = update
                .revocations
                .into_iter()
                .map(|row| Revocation {
                    subject: row.subject,
                    id: row.subject_id.to_string(),
                    min_version: row.min_version,
                })
                .collect();
            Ok(RevocationNews { generation: update.generation, revocations })
        });
        Ok(Response::new(Box::pin(updates)))
    }
}
