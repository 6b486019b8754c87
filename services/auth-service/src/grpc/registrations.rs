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
use crate::domain::registrations::{self, Input, Which};

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
        let made = registrations::register(&self.0, &caller, &input).await?;
        Ok(Response::new(RegisterResponse {
            email: made.email,
            challenge_id: made.challenge.to_string(),
            expires_in: made.expires_in,
            resend_in: made.resend_in,
        }))
    }

    async fn verify_email(
        &self,
        request: Request<VerifyEmailRequest>,
    ) -> Result<Response<VerifyEmailResponse>, Status> {
        let (caller, asked) = open(request)?;
        let which = Which::of(&asked.challenge_id, &asked.email);
        registrations::verify_email(&self.0, &caller, &asked.tenant, which, &asked.otp).await?;
        Ok(Response::new(VerifyEmailResponse {}))
    }

    async fn resend_verification(
        &self,
        request: Request<ResendVerificationRequest>,
    ) -> Result<Response<ResendVerificationResponse>, Status> {
        let (caller, asked) = open(request)?;
        let which = Which::of(&asked.challenge_id, &asked.email);
        let sent = registrations::resend(&self.0, &caller, &asked.tenant, which).await?;
        Ok(Response::new(ResendVerificationResponse {
            challenge_id: sent.challenge.to_string(),
            resend_in: sent.resend_in,
        }))
    }
}
