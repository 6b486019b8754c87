use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::routes::users::views::UserView;

/// A registration in the tenant of the path.
#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "username": "asha", "email": "asha@example.com", "password": "correct horse battery", "confirm_password": "correct horse battery" })))]
pub(crate) struct Registration {
    #[schema(required = true)]
    #[serde(default)]
    pub username: String,
    #[schema(required = true)]
    #[serde(default)]
    pub email: String,
    #[schema(required = true)]
    #[serde(default)]
    pub password: String,
    #[schema(required = true)]
    #[serde(default)]
    pub confirm_password: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub phone_no: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RegistrationView {
    pub email: String,
    pub challenge_id: String,
    /// Seconds.
    pub expires_in: u64,
    /// Seconds.
    pub resend_in: u64,
}

impl From<proto::auth::RegisterResponse> for RegistrationView {
    fn from(made: proto::auth::RegisterResponse) -> Self {
        let (expires_in, resend_in) = (made.expires_in, made.resend_in);
        Self { email: made.email, challenge_id: made.challenge_id, expires_in, resend_in }
    }
}

#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "challenge_id": "0198c2f4-7d1e-7a43-9a53-3f6d0e2b8c11", "otp": "123456" })))]
pub(crate) struct EmailProof {
    #[serde(default)]
    pub challenge_id: String,
    /// When there is no challenge_id, as earlier clients send.
    #[serde(default)]
    pub email: String,
    #[schema(required = true)]
    #[serde(default)]
    pub otp: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "challenge_id": "0198c2f4-7d1e-7a43-9a53-3f6d0e2b8c11" })))]
pub(crate) struct Resend {
    #[serde(default)]
    pub challenge_id: String,
    /// When there is no challenge_id, as earlier clients send.
    #[serde(default)]
    pub email: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ResentView {
    pub challenge_id: String,
    /// Seconds.
    pub resend_in: u64,
}

/// E-mail or username, and the password.
#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "email": "asha@example.com", "password": "correct horse battery" })))]
pub(crate) struct Credentials {
    pub email: Option<String>,
    pub username: Option<String>,
    #[schema(required = true, nullable = false)]
    pub password: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ChallengeView {
    pub challenge_id: String,
    /// `email` or `totp`.
    pub method: String,
    /// Seconds.
    pub expires_in: u32,
    /// Seconds.
    pub resend_in: u32,
}

#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "challenge_id": "0198c2f4-7d1e-7a43-9a53-3f6d0e2b8c11", "otp": "123456" })))]
pub(crate) struct CodeProof {
    #[schema(required = true, nullable = false)]
    pub challenge_id: Option<String>,
    /// The mailed code, or the one that the authenticator shows.
    #[schema(nullable = false)]
    pub otp: Option<String>,
    /// Instead of otp, when the authenticator is lost.
    #[schema(nullable = false)]
    pub recovery_code: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "challenge_id": "0198c2f4-7d1e-7a43-9a53-3f6d0e2b8c11" })))]
pub(crate) struct ChallengeOnly {
    #[schema(required = true, nullable = false)]
    pub challenge_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SignedInView {
    pub access: String,
    pub refresh: String,
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: u32,
    /// Seconds.
    pub refresh_expires_in: u32,
    pub user: UserView,
}

#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "refresh": "eyJ0eXAiOiJyZWZyZXNoK2p3dCJ9.e30.c2lnbmF0dXJl" })))]
pub(crate) struct RefreshToken {
    #[schema(required = true, nullable = false)]
    pub refresh: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TokensView {
    pub access: String,
    pub refresh: String,
}

/// E-mail or username.
#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "email": "asha@example.com" })))]
pub(crate) struct Identifier {
    pub email: Option<String>,
    pub username: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ResetView {
    pub challenge_id: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "challenge_id": "0198c2f4-7d1e-7a43-9a53-3f6d0e2b8c11", "otp": "123456", "new_password": "staple battery horse", "confirm_password": "staple battery horse" })))]
pub(crate) struct NewPassword {
    pub challenge_id: Option<String>,
    /// When there is no challenge_id, as earlier clients send.
    pub email: Option<String>,
    #[schema(required = true, nullable = false)]
    pub otp: Option<String>,
    #[schema(required = true)]
    #[serde(default)]
    pub new_password: String,
    #[schema(required = true)]
    #[serde(default)]
    pub confirm_password: String,
}
