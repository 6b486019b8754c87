use kit::Secret;
use kit::grpc::open;
use proto::auth::registrations_server::{Registrations, RegistrationsServer};
use proto::auth::{
    RegisterRequest, RegisterResponse, ResendVerificationRequest, ResendVerificationResponse, VerifyEmailRequest,
    VerifyEmailResponse,
};
use proto::tonic::{Request, Response, Status};

use crate::App;
use crate::domain::identity::RawPerson;
use crate::domain::registrations::{self, Input};

struct Grpc(App);

pub(super) fn service(app: &App) -> RegistrationsServer<impl Registrations> {
    RegistrationsServer::new(Grpc(app.clone()))
}

#[tonic::async_trait]
impl Registrations for Grpc {
    async fn register(&self, request: Request<RegisterRequest>) -> Result<Response<RegisterResponse>, Status> {
        let (caller, asked) = open(request)?;
        let input = Input {
            tenant: asked.tenant,
            person: RawPerson {
                username: asked.username,
                email: asked.email,
                first_name: asked.first_name,
                last_name: asked.last_name,
                phone_no: asked.phone_no,
            },
            password: Secret::new(asked.password),
            confirm_password: Secret::new(asked.confirm_password),
        };
        let email = registrations::register(&self.0, &caller, &input).await?;
        Ok(Response::new(RegisterResponse { email }))
    }

    async fn verify_email(
        &self,
        request: Request<VerifyEmailRequest>,
    ) -> Result<Response<VerifyEmailResponse>, Status> {
        let (caller, asked) = open(request)?;
        registrations::verify_email(&self.0, &caller, &asked.tenant, &asked.email, &asked.otp).await?;
        Ok(Response::new(VerifyEmailResponse {}))
    }

    async fn resend_verification(
        &self,
        request: Request<ResendVerificationRequest>,
    ) -> Result<Response<ResendVerificationResponse>, Status> {
        let (caller, asked) = open(request)?;
        registrations::resend(&self.0, &caller, &asked.tenant, &asked.email).await?;
        Ok(Response::new(ResendVerificationResponse {}))
    }
}
