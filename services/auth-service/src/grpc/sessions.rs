use kit::Secret;
use kit::grpc::open;
use proto::auth::sessions_server::{Sessions, SessionsServer};
use proto::auth::{
    EndOtherSessionsRequest, EndOtherSessionsResponse, EndSessionRequest, EndSessionResponse, EndSessionsOfUserRequest,
    EndSessionsOfUserResponse, ListSessionsRequest, ListSessionsResponse, LogoutRequest, LogoutResponse,
    RefreshRequest, RefreshResponse, Session,
};
use proto::time::to_proto;
use proto::tonic::{Request, Response, Status};

use super::sign_in::tokens;
use crate::App;
use crate::domain::session_lists::{self, Listed};
use crate::domain::sessions;

struct Grpc(App);

pub(super) fn service(app: &App) -> SessionsServer<impl Sessions> {
    SessionsServer::new(Grpc(app.clone()))
}

fn message(listed: Listed) -> Session {
    let Listed { session, is_current, network } = listed;
    Session {
        id: session.id.to_string(),
        is_current,
        created_at: to_proto(session.auth_time),
        last_used_at: to_proto(session.last_used_at),
        expires_at: to_proto(session.expires_at),
        network,
        user_agent: session.user_agent,
    }
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

    async fn list(&self, request: Request<ListSessionsRequest>) -> Result<Response<ListSessionsResponse>, Status> {
        let (caller, _) = open(request)?;
        let sessions = session_lists::list(&self.0, &caller).await?;
        Ok(Response::new(ListSessionsResponse { sessions: sessions.into_iter().map(message).collect() }))
    }

    async fn end(&self, request: Request<EndSessionRequest>) -> Result<Response<EndSessionResponse>, Status> {
        let (caller, asked) = open(request)?;
        session_lists::end(&self.0, &caller, &asked.id).await?;
        Ok(Response::new(EndSessionResponse {}))
    }

    async fn end_others(
        &self,
        request: Request<EndOtherSessionsRequest>,
    ) -> Result<Response<EndOtherSessionsResponse>, Status> {
        let (caller, _) = open(request)?;
        session_lists::end_others(&self.0, &caller).await?;
        Ok(Response::new(EndOtherSessionsResponse {}))
    }

    async fn end_of_user(
        &self,
        request: Request<EndSessionsOfUserRequest>,
    ) -> Result<Response<EndSessionsOfUserResponse>, Status> {
        let (caller, asked) = open(request)?;
        session_lists::end_of_user(&self.0, &caller, &asked.user_id).await?;
        Ok(Response::new(EndSessionsOfUserResponse {}))
    }
}
