use kit::Secret;
use kit::grpc::open;
use proto::auth::sign_in_server::{SignIn, SignInServer};
use proto::auth::{
    ResendSignInCodeRequest, ResendSignInCodeResponse, StartSignInRequest, StartSignInResponse, TokenPair,
    VerifySignInRequest, VerifySignInResponse,
};
use proto::tonic::{Request, Response, Status};

use super::users;
use crate::App;
use crate::domain::authenticators::Proof;
use crate::domain::{sessions, sign_in};

struct Grpc(App);

pub(super) fn service(app: &App) -> SignInServer<impl SignIn> {
    SignInServer::new(Grpc(app.clone()))
}

pub(super) fn tokens(pair: &sessions::TokenPair) -> TokenPair {
    TokenPair {
        access: pair.access.expose().to_owned(),
        refresh: pair.refresh.expose().to_owned(),
        expires_in: pair.expires_in,
        refresh_expires_in: pair.refresh_expires_in,
    }
}

#[tonic::async_trait]
impl SignIn for Grpc {
    async fn start(&self, request: Request<StartSignInRequest>) -> Result<Response<StartSignInResponse>, Status> {
        let (caller, asked) = open(request)?;
        let password = Secret::new(asked.password);
        let started = sign_in::start(&self.0, &caller, asked.tenant.as_deref(), &asked.identifier, &password).await?;
        Ok(Response::new(StartSignInResponse {
            challenge_id: started.challenge.to_string(),
            method: started.method.to_owned(),
            expires_in: started.expires_in,
            resend_in: started.resend_in,
        }))
    }

    async fn verify(&self, request: Request<VerifySignInRequest>) -> Result<Response<VerifySignInResponse>, Status> {
        let (caller, asked) = open(request)?;
        let proof =
            if asked.recovery_code.is_empty() { Proof::Otp(&asked.otp) } else { Proof::Recovery(&asked.recovery_code) };
        let (pair, profile) =
            sign_in::verify(&self.0, &caller, asked.tenant.as_deref(), &asked.challenge_id, proof).await?;
        Ok(Response::new(VerifySignInResponse { tokens: Some(tokens(&pair)), user: Some(users::message(profile)) }))
    }

    async fn resend_code(
        &self,
        request: Request<ResendSignInCodeRequest>,
    ) -> Result<Response<ResendSignInCodeResponse>, Status> {
        let (caller, asked) = open(request)?;
        let resend_in = sign_in::resend(&self.0, &caller, &asked.challenge_id).await?;
        Ok(Response::new(ResendSignInCodeResponse { resend_in }))
    }
}
