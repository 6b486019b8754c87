//! Sessions: the caller's own, and those of users that an administrator manages.

mod views;

use kit::Code;
use proto::auth as pb;

use crate::http::context::{HandlerResult, RequestContext};
use crate::http::reply::Reply;
use crate::http::rule::{ADMINS, Reach, Rule, SIGNED_IN};

use views::SessionsView;

#[rustfmt::skip] // a table: one rule in two or three lines
pub(crate) const RULES: &[Rule] = &[
    Rule::get("/users/me/sessions/", &list).id("list_own_sessions").roles(SIGNED_IN).reach(Reach::Own)
        .data::<SessionsView>().summary("The own live sessions, the one used last first"),
    Rule::delete("/users/me/sessions/", &end_others).id("end_other_sessions").roles(SIGNED_IN).reach(Reach::Own)
        .no_content().summary("End the own sessions except this one"),
    Rule::delete("/users/me/sessions/{id}/", &end).id("end_own_session").roles(SIGNED_IN).reach(Reach::Own)
        .no_content().summary("End one of the own sessions"),
    Rule::delete("/users/{id}/sessions/", &end_of_user).id("end_sessions_of_user").roles(ADMINS).reach(Reach::PlatformOrTenant)
        .no_content().codes(&[Code::UseUsersMe, Code::PermissionDenied])
        .summary("End every session of a LISTENER (ADMIN) or an ADMIN (SUPER_ADMIN)"),
];

pub(crate) async fn list(context: RequestContext) -> HandlerResult {
    let request = context.grpc_request(pb::ListSessionsRequest {});
    let found = context.app.peers.sessions().list(request).await?.into_inner();
    Reply::data(200, "Your sessions.", &SessionsView::from(found))
}

pub(crate) async fn end(context: RequestContext) -> HandlerResult {
    let request = context.grpc_request(pb::EndSessionRequest { id: context.path("id") });
    context.app.peers.sessions().end(request).await?;
    Ok(Reply::no_content())
}

pub(crate) async fn end_others(context: RequestContext) -> HandlerResult {
    let request = context.grpc_request(pb::EndOtherSessionsRequest {});
    context.app.peers.sessions().end_others(request).await?;
    Ok(Reply::no_content())
}

pub(crate) async fn end_of_user(context: RequestContext) -> HandlerResult {
    let request = context.grpc_request(pb::EndSessionsOfUserRequest { user_id: context.path("id") });
    context.app.peers.sessions().end_of_user(request).await?;
    Ok(Reply::no_content())
}
