use kit::Secret;
use kit::grpc::open;
use proto::auth::password_resets_server::{PasswordResets, PasswordResetsServer};
use proto::auth::{
    ConfirmPasswordResetRequest, ConfirmPasswordResetResponse, StartPasswordResetRequest, StartPasswordResetResponse,
};
use proto::tonic::{Request, Response, Status};

use crate::App;
use crate::domain::password_resets;

struct Grpc(App);

pub(super) fn service(app: &App) -> PasswordResetsServer<impl PasswordResets> {
    PasswordResetsServer::new(Grpc(app.clone()))
}

#[tonic::async_trait]
impl PasswordResets for Grpc {
    async fn start(
        &self,
        request: Request<StartPasswordResetRequest>,
    ) -> Result<Response<StartPasswordResetResponse>, Status> {
        let (caller, asked) = open(request)?;
        let id = password_resets::start(&self.0, &caller, asked.tenant.as_deref(), &asked.identifier).await?;
        Ok(Response::new(StartPasswordResetResponse { challenge_id: id.to_string() }))
    }

    async fn confirm(
        &self,
        request: Request<ConfirmPasswordResetRequest>,
    ) -> Result<Response<ConfirmPasswordResetResponse>, Status> {
        let (caller, asked) = open(request)?;
        let (new, confirmation) = (Secret::new(asked.new_password), Secret::new(asked.confirm_password));
        let tenant = asked.tenant.as_deref();
        let which = (asked.challenge_id.as_str(), asked.email.as_str());
        password_resets::confirm(&self.0, &caller, tenant, which, &asked.otp, (&new, &confirmation)).await?;
        Ok(Response::new(ConfirmPasswordResetResponse {}))
    }
}
