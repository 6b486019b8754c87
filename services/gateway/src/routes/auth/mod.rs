use proto::auth as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::context::{Answered, Cx, required};
use crate::http::reply::Reply;
use crate::routes::users::UserView;

/// Asks for an account in the tenant of the path.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Registration {
    #[serde(default)]
    username: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    confirm_password: String,
    first_name: Option<String>,
    last_name: Option<String>,
    phone_no: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RegistrationView {
    email: String,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct EmailProof {
    #[serde(default)]
    email: String,
    #[serde(default)]
    otp: String,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct EmailOnly {
    #[serde(default)]
    email: String,
}

/// E-mail or username, and the password.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Credentials {
    email: Option<String>,
    username: Option<String>,
    password: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ChallengeView {
    challenge_id: String,
    /// `email` or `totp`.
    method: String,
    /// Seconds.
    expires_in: u32,
    /// Seconds.
    resend_in: u32,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct CodeProof {
    challenge_id: Option<String>,
    otp: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct ChallengeOnly {
    challenge_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SignedInView {
    access: String,
    refresh: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: u32,
    /// Seconds.
    refresh_expires_in: u32,
    user: UserView,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct RefreshToken {
    refresh: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TokensView {
    access: String,
    refresh: String,
}

/// E-mail or username.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Identifier {
    email: Option<String>,
    username: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ResetView {
    challenge_id: String,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct NewPassword {
    challenge_id: Option<String>,
    otp: Option<String>,
    #[serde(default)]
    new_password: String,
    #[serde(default)]
    confirm_password: String,
}

/// The tenant of the path; none on the platform's routes.
fn tenant(cx: &Cx) -> Option<String> {
    Some(cx.path("tenant")).filter(|tenant| !tenant.is_empty())
}

/// What the account is named by; empty when it is not one of the two, which the service refuses after it knows the tenant.
fn identifier(email: Option<String>, username: Option<String>) -> String {
    match (email, username) {
        (Some(email), None) => email,
        // A username never holds an @, so it cannot be taken for an e-mail.
        (None, Some(username)) => username.replace('@', "\u{fffd}"),
        _ => String::new(),
    }
}

pub(crate) async fn register(cx: Cx) -> Answered {
    let body: Registration = cx.json()?;
    cx.charge_account(&cx.path("tenant"), &body.email).await?;
    let request = cx.ask(pb::RegisterRequest {
        tenant: cx.path("tenant"),
        username: body.username,
        email: body.email,
        password: body.password,
        confirm_password: body.confirm_password,
        first_name: body.first_name.unwrap_or_default(),
        last_name: body.last_name.unwrap_or_default(),
        phone_no: body.phone_no.unwrap_or_default(),
    });
    let made = cx.app.peers.registrations().register(request).await?.into_inner();
    Reply::data(201, "Please check your mail for the verification code.", &RegistrationView { email: made.email })
}

pub(crate) async fn verify_email(cx: Cx) -> Answered {
    let body: EmailProof = cx.json()?;
    cx.charge_account(&cx.path("tenant"), &body.email).await?;
    let request = cx.ask(pb::VerifyEmailRequest { tenant: cx.path("tenant"), email: body.email, otp: body.otp });
    cx.app.peers.registrations().verify_email(request).await?;
    Reply::done("Email verified. You can sign in now.")
}

pub(crate) async fn resend_verification(cx: Cx) -> Answered {
    let body: EmailOnly = cx.json()?;
    cx.charge_account(&cx.path("tenant"), &body.email).await?;
    let request = cx.ask(pb::ResendVerificationRequest { tenant: cx.path("tenant"), email: body.email });
    cx.app.peers.registrations().resend_verification(request).await?;
    Reply::done("If this address waits for verification, a code is on its way.")
}

pub(crate) async fn login(cx: Cx) -> Answered {
    let body: Credentials = cx.json()?;
    let identifier = identifier(body.email, body.username);
    let password = body.password.unwrap_or_default();
    if !identifier.is_empty() {
        cx.charge_account(&cx.path("tenant"), &identifier).await?;
    }
    let request = cx.ask(pb::StartSignInRequest { tenant: tenant(&cx), identifier, password });
    let started = cx.app.peers.sign_in().start(request).await?.into_inner();
    let view = ChallengeView {
        challenge_id: started.challenge_id,
        method: started.method,
        expires_in: started.expires_in,
        resend_in: started.resend_in,
    };
    Reply::data(200, "A sign-in code is on its way.", &view)
}

pub(crate) async fn login_verify(cx: Cx) -> Answered {
    let body: CodeProof = cx.json()?;
    let (challenge_id, otp) = (body.challenge_id.unwrap_or_default(), body.otp.unwrap_or_default());
    let request = cx.ask(pb::VerifySignInRequest { tenant: tenant(&cx), challenge_id, otp });
    let done = cx.app.peers.sign_in().verify(request).await?.into_inner();
    let tokens = done.tokens.unwrap_or_default();
    let view = SignedInView {
        access: tokens.access,
        refresh: tokens.refresh,
        token_type: "Bearer",
        expires_in: tokens.expires_in,
        refresh_expires_in: tokens.refresh_expires_in,
        user: UserView::from(done.user.unwrap_or_default()),
    };
    Reply::data(200, "Signed in.", &view)
}

pub(crate) async fn resend_otp(cx: Cx) -> Answered {
    let body: ChallengeOnly = cx.json()?;
    let challenge_id = required("challenge_id", body.challenge_id)?;
    cx.app.peers.sign_in().resend_code(cx.ask(pb::ResendSignInCodeRequest { challenge_id })).await?;
    Reply::done("If this sign-in waits for a code, it is on its way.")
}

pub(crate) async fn refresh(cx: Cx) -> Answered {
    let body: RefreshToken = cx.json()?;
    let refresh = required("refresh", body.refresh)?;
    let done = cx.app.peers.sessions().refresh(cx.ask(pb::RefreshRequest { refresh })).await?.into_inner();
    let tokens = done.tokens.unwrap_or_default();
    Reply::json(200, &TokensView { access: tokens.access, refresh: tokens.refresh })
}

pub(crate) async fn logout(cx: Cx) -> Answered {
    let body: RefreshToken = cx.json()?;
    let refresh = required("refresh", body.refresh)?;
    cx.app.peers.sessions().logout(cx.ask(pb::LogoutRequest { refresh })).await?;
    Reply::done("Signed out.")
}

pub(crate) async fn password_reset(cx: Cx) -> Answered {
    let body: Identifier = cx.json()?;
    let identifier = identifier(body.email, body.username);
    if !identifier.is_empty() {
        cx.charge_account(&cx.path("tenant"), &identifier).await?;
    }
    let request = cx.ask(pb::StartPasswordResetRequest { tenant: tenant(&cx), identifier });
    let started = cx.app.peers.password_resets().start(request).await?.into_inner();
    Reply::data(200, "If this account exists, a code is on its way.", &ResetView { challenge_id: started.challenge_id })
}

pub(crate) async fn password_reset_confirm(cx: Cx) -> Answered {
    let body: NewPassword = cx.json()?;
    let request = cx.ask(pb::ConfirmPasswordResetRequest {
        tenant: tenant(&cx),
        challenge_id: body.challenge_id.unwrap_or_default(),
        otp: body.otp.unwrap_or_default(),
        new_password: body.new_password,
        confirm_password: body.confirm_password,
    });
    cx.app.peers.password_resets().confirm(request).await?;
    Reply::done("Your password was changed. Please sign in.")
}
