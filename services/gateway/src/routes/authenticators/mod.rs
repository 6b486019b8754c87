//! Authenticator apps as the second step of a sign-in.

mod views;

use kit::Code;
use proto::auth as pb;

use crate::http::context::{HandlerResult, RequestContext};
use crate::http::reply::Reply;
use crate::http::rule::{ADMINS, Reach, Rule, SIGNED_IN};

use views::{AuthenticatorCode, AuthenticatorView, Reauthentication, RecoveryCodesView};

#[rustfmt::skip] // a table: one rule in two or three lines
pub(crate) const RULES: &[Rule] = &[
    Rule::post("/users/me/totp/", &start).id("start_authenticator").roles(SIGNED_IN).reach(Reach::Own)
        .maybe_body::<Reauthentication>().created::<AuthenticatorView>().codes(&[Code::ReauthenticationRequired, Code::TotpEnabled, Code::ServiceBusy])
        .summary("Make the secret of an authenticator app"),
    Rule::post("/users/me/totp/confirm/", &confirm).id("confirm_authenticator").roles(SIGNED_IN).reach(Reach::Own)
        .body::<AuthenticatorCode>().data::<RecoveryCodesView>().codes(&[Code::OtpInvalid, Code::TotpEnabled])
        .summary("Confirm the app with a code; from then on signing in asks for one"),
    Rule::delete("/users/me/totp/", &remove).id("remove_authenticator").roles(SIGNED_IN).reach(Reach::Own)
        .maybe_body::<Reauthentication>().no_content().codes(&[Code::ReauthenticationRequired, Code::ServiceBusy])
        .summary("Remove the own authenticator; codes are mailed again"),
    Rule::delete("/users/{id}/totp/", &remove_of_user).id("remove_authenticator_of_user").roles(ADMINS).reach(Reach::PlatformOrTenant)
        .no_content().codes(&[Code::UseUsersMe, Code::PermissionDenied])
        .summary("Remove the lost authenticator of a LISTENER (ADMIN) or an ADMIN (SUPER_ADMIN)"),
];

pub(crate) async fn start(context: RequestContext) -> HandlerResult {
    let body: Reauthentication = context.json()?;
    let request = context.grpc_request(pb::StartAuthenticatorRequest { password: body.password });
    let started = context.app.peers.authenticators().start(request).await?.into_inner();
    Reply::data(201, "Scan the code with your app, then send a code that it shows.", &AuthenticatorView::from(started))
}

pub(crate) async fn confirm(context: RequestContext) -> HandlerResult {
    let body: AuthenticatorCode = context.json()?;
    let request = context.grpc_request(pb::ConfirmAuthenticatorRequest { otp: body.otp });
    let confirmed = context.app.peers.authenticators().confirm(request).await?.into_inner();
    let view = RecoveryCodesView { recovery_codes: confirmed.recovery_codes };
    Reply::data(200, "Keep these codes: each signs you in once when the app is lost.", &view)
}

pub(crate) async fn remove(context: RequestContext) -> HandlerResult {
    let body: Reauthentication = context.json()?;
    let request = context.grpc_request(pb::RemoveAuthenticatorRequest { password: body.password });
    context.app.peers.authenticators().remove(request).await?;
    Ok(Reply::no_content())
}

pub(crate) async fn remove_of_user(context: RequestContext) -> HandlerResult {
    let request = context.grpc_request(pb::RemoveAuthenticatorOfUserRequest { user_id: context.path("id") });
    context.app.peers.authenticators().remove_of_user(request).await?;
    Ok(Reply::no_content())
}
