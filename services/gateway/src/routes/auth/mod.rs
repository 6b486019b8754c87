//! Registration, sign-in, tokens and password reset.

mod views;

use kit::Code;
use proto::auth as pb;

use crate::http::context::{HandlerResult, RequestContext, required};
use crate::http::rate::Rate;
use crate::http::reply::Reply;
use crate::http::rule::{Reach, Rule, SIGNED_IN};
use crate::routes::users::views::UserView;

use views::{
    ChallengeOnly, ChallengeView, CodeProof, Credentials, EmailProof, Identifier, NewPassword, RefreshToken,
    Registration, RegistrationView, Resend, ResentView, ResetView, SignedInView, TokensView,
};

#[rustfmt::skip] // a table: one rule in two or three lines
pub(crate) const RULES: &[Rule] = &[
    Rule::post("/tenant/{tenant}/auth/register/", &register).id("register")
        .public().reach(Reach::PathTenant).rate(Rate::Mail)
        .body::<Registration>().created::<RegistrationView>().codes(&[Code::UsernameTaken, Code::ServiceBusy])
        .summary("Register as a LISTENER"),
    Rule::post("/tenant/{tenant}/auth/verify-email/", &verify_email).id("verify_email")
        .public().reach(Reach::PathTenant).rate(Rate::SignIn)
        .body::<EmailProof>().done().codes(&[Code::OtpInvalid, Code::AccountDeletedByAdmin, Code::UsernameTaken, Code::EmailTaken])
        .summary("Prove an e-mail address with its code"),
    Rule::post("/tenant/{tenant}/auth/resend-verification/", &resend_verification).id("resend_verification")
        .public().reach(Reach::PathTenant).rate(Rate::Mail)
        .body::<Resend>().data::<ResentView>().summary("Send the verification code again"),
    Rule::post("/tenant/{tenant}/auth/login/", &login).id("start_sign_in")
        .public().reach(Reach::PathTenant).rate(Rate::SignIn)
        .body::<Credentials>().data::<ChallengeView>().codes(&[Code::InvalidCredentials, Code::EmailNotVerified, Code::AccountInactive, Code::ServiceBusy])
        .summary("First step of signing in: password"),
    Rule::post("/tenant/{tenant}/auth/login/verify-otp/", &login_verify).id("finish_sign_in")
        .public().reach(Reach::PathTenant).rate(Rate::SignIn)
        .body::<CodeProof>().data::<SignedInView>().codes(&[Code::OtpInvalid, Code::AccountInactive])
        .summary("Second step of signing in: code"),
    Rule::post("/tenant/{tenant}/auth/password-reset/", &password_reset).id("start_password_reset")
        .public().reach(Reach::PathTenant).rate(Rate::Mail)
        .body::<Identifier>().data::<ResetView>().summary("Ask for a password reset code"),
    Rule::post("/tenant/{tenant}/auth/password-reset/confirm/", &password_reset_confirm).id("confirm_password_reset")
        .public().reach(Reach::PathTenant).rate(Rate::SignIn)
        .body::<NewPassword>().done().codes(&[Code::OtpInvalid, Code::ServiceBusy])
        .summary("Set a new password with the code"),
    Rule::post("/auth/super-admin/login/", &login).id("start_super_admin_sign_in").public().rate(Rate::SignIn)
        .body::<Credentials>().data::<ChallengeView>().codes(&[Code::InvalidCredentials, Code::EmailNotVerified, Code::AccountInactive, Code::ServiceBusy])
        .summary("First step of signing in: password"),
    Rule::post("/auth/super-admin/login/verify-otp/", &login_verify).id("finish_super_admin_sign_in")
        .public().rate(Rate::SignIn)
        .body::<CodeProof>().data::<SignedInView>().codes(&[Code::OtpInvalid, Code::AccountInactive])
        .summary("Second step of signing in: code"),
    Rule::post("/auth/super-admin/password-reset/", &password_reset).id("start_super_admin_password_reset")
        .public().rate(Rate::Mail)
        .body::<Identifier>().data::<ResetView>().summary("Ask for a password reset code"),
    Rule::post("/auth/super-admin/password-reset/confirm/", &password_reset_confirm).id("confirm_super_admin_password_reset")
        .public().rate(Rate::SignIn)
        .body::<NewPassword>().done().codes(&[Code::OtpInvalid, Code::ServiceBusy])
        .summary("Set a new password with the code"),
    Rule::post("/auth/login/resend-otp/", &resend_otp).id("resend_sign_in_code").public().rate(Rate::Mail)
        .body::<ChallengeOnly>().done().codes(&[Code::TotpChallenge]).summary("Send the sign-in code again"),
    Rule::post("/token/refresh/", &refresh).id("refresh_tokens").public().reach(Reach::Own).rate(Rate::Refresh)
        .body::<RefreshToken>().bare::<TokensView>().codes(&[Code::TokenNotValid, Code::TokenReused])
        .summary("Rotate a refresh token"),
    Rule::post("/auth/logout/", &logout).id("sign_out").roles(SIGNED_IN).reach(Reach::Own)
        .body::<RefreshToken>().done().summary("End the own session"),
];

/// The tenant of the path; `None` on routes of the platform.
fn tenant(context: &RequestContext) -> Option<String> {
    Some(context.path("tenant")).filter(|tenant| !tenant.is_empty())
}

/// The e-mail or username of an account. It is empty unless exactly one of them was sent; the service refuses that
/// after it has found the tenant.
fn identifier(email: Option<String>, username: Option<String>) -> String {
    match (email, username) {
        (Some(email), None) => email,
        // A username never contains an @, so it must not be taken for an e-mail.
        (None, Some(username)) => username.replace('@', "\u{fffd}"),
        _ => String::new(),
    }
}

pub(crate) async fn register(context: RequestContext) -> HandlerResult {
    let body: Registration = context.json()?;
    let request = context.grpc_request(pb::RegisterRequest {
        tenant: context.path("tenant"),
        username: body.username,
        email: body.email,
        password: body.password,
        confirm_password: body.confirm_password,
        first_name: body.first_name.unwrap_or_default(),
        last_name: body.last_name.unwrap_or_default(),
        phone_no: body.phone_no.unwrap_or_default(),
    });
    let made = context.app.peers.registrations().register(request).await?.into_inner();
    Reply::data(201, "Please check your mail for the verification code.", &RegistrationView::from(made))
}

pub(crate) async fn verify_email(context: RequestContext) -> HandlerResult {
    let body: EmailProof = context.json()?;
    let request = context.grpc_request(pb::VerifyEmailRequest {
        tenant: context.path("tenant"),
        email: body.email,
        otp: body.otp,
        challenge_id: body.challenge_id,
    });
    context.app.peers.registrations().verify_email(request).await?;
    Reply::done("Email verified. You can sign in now.")
}

pub(crate) async fn resend_verification(context: RequestContext) -> HandlerResult {
    let body: Resend = context.json()?;
    let request = context.grpc_request(pb::ResendVerificationRequest {
        tenant: context.path("tenant"),
        email: body.email,
        challenge_id: body.challenge_id,
    });
    let sent = context.app.peers.registrations().resend_verification(request).await?.into_inner();
    let view = ResentView { challenge_id: sent.challenge_id, resend_in: sent.resend_in };
    Reply::data(200, "If this address waits for verification, a code is on its way.", &view)
}

pub(crate) async fn login(context: RequestContext) -> HandlerResult {
    let body: Credentials = context.json()?;
    let identifier = identifier(body.email, body.username);
    let password = body.password.unwrap_or_default();
    let request = context.grpc_request(pb::StartSignInRequest { tenant: tenant(&context), identifier, password });
    let started = context.app.peers.sign_in().start(request).await?.into_inner();
    let view = ChallengeView {
        challenge_id: started.challenge_id,
        method: started.method,
        expires_in: started.expires_in,
        resend_in: started.resend_in,
    };
    Reply::data(200, "A sign-in code is on its way.", &view)
}

pub(crate) async fn login_verify(context: RequestContext) -> HandlerResult {
    let body: CodeProof = context.json()?;
    let (challenge_id, otp) = (body.challenge_id.unwrap_or_default(), body.otp.unwrap_or_default());
    let request = context.grpc_request(pb::VerifySignInRequest {
        tenant: tenant(&context),
        challenge_id,
        otp,
        recovery_code: body.recovery_code.unwrap_or_default(),
    });
    let done = context.app.peers.sign_in().verify(request).await?.into_inner();
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

pub(crate) async fn resend_otp(context: RequestContext) -> HandlerResult {
    let body: ChallengeOnly = context.json()?;
    let challenge_id = required("challenge_id", body.challenge_id)?;
    context.app.peers.sign_in().resend_code(context.grpc_request(pb::ResendSignInCodeRequest { challenge_id })).await?;
    Reply::done("If this sign-in waits for a code, it is on its way.")
}

pub(crate) async fn refresh(context: RequestContext) -> HandlerResult {
    let body: RefreshToken = context.json()?;
    let refresh = required("refresh", body.refresh)?;
    let done =
        context.app.peers.sessions().refresh(context.grpc_request(pb::RefreshRequest { refresh })).await?.into_inner();
    let tokens = done.tokens.unwrap_or_default();
    Reply::json(200, &TokensView { access: tokens.access, refresh: tokens.refresh })
}

pub(crate) async fn logout(context: RequestContext) -> HandlerResult {
    let body: RefreshToken = context.json()?;
    let refresh = required("refresh", body.refresh)?;
    context.app.peers.sessions().logout(context.grpc_request(pb::LogoutRequest { refresh })).await?;
    Reply::done("Signed out.")
}

pub(crate) async fn password_reset(context: RequestContext) -> HandlerResult {
    let body: Identifier = context.json()?;
    let identifier = identifier(body.email, body.username);
    let request = context.grpc_request(pb::StartPasswordResetRequest { tenant: tenant(&context), identifier });
    let started = context.app.peers.password_resets().start(request).await?.into_inner();
    Reply::data(200, "If this account exists, a code is on its way.", &ResetView { challenge_id: started.challenge_id })
}

pub(crate) async fn password_reset_confirm(context: RequestContext) -> HandlerResult {
    let body: NewPassword = context.json()?;
    let request = context.grpc_request(pb::ConfirmPasswordResetRequest {
        tenant: tenant(&context),
        challenge_id: body.challenge_id.unwrap_or_default(),
        otp: body.otp.unwrap_or_default(),
        new_password: body.new_password,
        confirm_password: body.confirm_password,
        email: body.email.unwrap_or_default(),
    });
    context.app.peers.password_resets().confirm(request).await?;
    Reply::done("Your password was changed. Please sign in.")
}
