use proto::auth as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(crate) use crate::routes::deleted_users::views::Reauthentication;

#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "otp": "123456" })))]
pub(crate) struct AuthenticatorCode {
    #[schema(required = true)]
    #[serde(default)]
    pub otp: String,
}

/// What an app is set up with. It is shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuthenticatorView {
    /// In base32, for apps without a camera.
    pub secret: String,
    pub otpauth_uri: String,
    /// The URI as a QR code: an SVG image.
    pub qr_svg: String,
}

impl From<pb::StartAuthenticatorResponse> for AuthenticatorView {
    fn from(started: pb::StartAuthenticatorResponse) -> Self {
        Self { secret: started.secret, otpauth_uri: started.otpauth_uri, qr_svg: started.qr_svg }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryCodesView {
    pub recovery_codes: Vec<String>,
}
