use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::routes::users::views::UserView;

/// A registration in the tenant of the path.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Registration {
    #[serde(default)]
    pub username: String,
    #[serde(default)]
    pub email: String,
    #[serde(default)]
    pub password: String,
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
pub(crate) struct EmailProof {
    #[serde(default)]
    pub challenge_id: String,
    /// When there is no challenge_id, as earlier clients send.
    #[serde(default)]
    pub email: String,
    #[serde(default)]
    pub otp: String,
}

#[derive(Deserialize, ToSchema)]
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
pub(crate) struct Credentials {
    pub email: Option<String>,
    pub username: Option<String>,
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
pub(crate) struct CodeProof {
    pub challenge_id: Option<String>,
    pub otp: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct ChallengeOnly {
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
pub(crate) struct RefreshToken {
    pub refresh: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TokensView {
    pub access: String,
    pub refresh: String,
}

/// E-mail or username.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Identifier {
    pub email: Option<String>,
    pub username: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ResetView {
    pub challenge_id: String,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct NewPassword {
    pub challenge_id: Option<String>,
    /// When there is no challenge_id, as earlier clients send.
    pub email: Option<String>,
    pub otp: Option<String>,
    #[serde(default)]
    pub new_password: String,
    #[serde(default)]
    pub confirm_password: String,
}
