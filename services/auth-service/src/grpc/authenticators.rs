use kit::Secret;
use kit::grpc::open;
use proto::auth::authenticators_server::{Authenticators, AuthenticatorsServer};
use proto::auth::{
    ConfirmAuthenticatorRequest, ConfirmAuthenticatorResponse, RemoveAuthenticatorOfUserRequest,
    RemoveAuthenticatorOfUserResponse, RemoveAuthenticatorRequest, RemoveAuthenticatorResponse,
    StartAuthenticatorRequest, StartAuthenticatorResponse,
};
use proto::tonic::{Request, Response, Status};

use crate::App;
use crate::domain::authenticators;

struct Grpc(App);

pub(super) fn service(app: &App) -> AuthenticatorsServer<impl Authenticators> {
    AuthenticatorsServer::new(Grpc(app.clone()))
}

#[tonic::async_trait]
impl Authenticators for Grpc {
    async fn start(
        &self,
        request: Request<StartAuthenticatorRequest>,
    ) -> Result<Response<StartAuthenticatorResponse>, Status> {
        let (caller, asked) = open(request)?;
        let password = asked.password.map(Secret::new);
        let started = authenticators::start(&self.0, &caller, password.as_ref()).await?;
        Ok(Response::new(StartAuthenticatorResponse {
            secret: started.secret.expose().to_owned(),
            otpauth_uri: started.otpauth_uri.expose().to_owned(),
            qr_svg: started.qr_svg.expose().to_owned(),
        }))
    }

    async fn confirm(
        &self,
        request: Request<ConfirmAuthenticatorRequest>,
    ) -> Result<Response<ConfirmAuthenticatorResponse>, Status> {
        let (caller, asked) = open(request)?;
        let codes = authenticators::confirm(&self.0, &caller, &asked.otp).await?;
        let recovery_codes = codes.iter().map(|code| code.expose().to_owned()).collect();
        Ok(Response::new(ConfirmAuthenticatorResponse { recovery_codes }))
    }

    async fn remove(
        &self,
        request: Request<RemoveAuthenticatorRequest>,
    ) -> Result<Response<RemoveAuthenticatorResponse>, Status> {
        let (caller, asked) = open(request)?;
        let password = asked.password.map(Secret::new);
        authenticators::remove_own(&self.0, &caller, password.as_ref()).await?;
        Ok(Response::new(RemoveAuthenticatorResponse {}))
    }

    async fn remove_of_user(
        &self,
        request: Request<RemoveAuthenticatorOfUserRequest>,
    ) -> Result<Response<RemoveAuthenticatorOfUserResponse>, Status> {
        let (caller, asked) = open(request)?;
        authenticators::remove_managed(&self.0, &caller, &asked.user_id).await?;
        Ok(Response::new(RemoveAuthenticatorOfUserResponse {}))
    }
}
