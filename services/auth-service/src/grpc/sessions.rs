use kit::Secret;
use kit::grpc::open;
use proto::auth::sessions_server::{Sessions, SessionsServer};
use proto::auth::{LogoutRequest, LogoutResponse, RefreshRequest, RefreshResponse};
use proto::tonic::{Request, Response, Status};

use super::sign_in::tokens;
use crate::App;
use crate::domain::sessions;

struct Grpc(App);

pub(super) fn service(app: &App) -> SessionsServer<impl Sessions> {
    SessionsServer::new(Grpc(app.clone()))
}

#[tonic::async_trait]
impl Sessions for Grpc {
    async fn refresh(&self, request: Request<RefreshRequest>) -> Result<Response<RefreshResponse>, Status> {
        let (caller, asked) = open(request)?;
        let pair = sessions::refresh(&self.0, &caller, &Secret::new(asked.refresh)).await?;
        Ok(Response::new(RefreshResponse { tokens: Some(tokens(&pair)) }))
    }

    async fn logout(&self, request: Request<LogoutRequest>) -> Result<Response<LogoutResponse>, Status> {
        let (caller, _) = open(request)?;
        sessions::logout(&self.0, &caller).await?;
        Ok(Response::new(LogoutResponse {}))
    }
}
