//! Deletion and restoration of users.

pub(crate) mod views;

use kit::Code;
use proto::auth as pb;

use crate::http::context::{HandlerResult, RequestContext};
use crate::http::page::{PageQuery, page_reply};
use crate::http::param::Param;
use crate::http::reply::Reply;
use crate::http::rule::{ADMINS, LISTENER, Reach, Rule};
use crate::routes::users::views::UserView;

use views::{DeletedUserView, Reauthentication, Restoration};

const FILTERS: &[Param] = &[Param::one_of(
    "deletion_type",
    &["self", "admin", "super_admin", "super admin"],
    "Who deleted them: the users themselves, an ADMIN or a SUPER_ADMIN.",
)];

#[rustfmt::skip] // a table: one rule in two or three lines
pub(crate) const RULES: &[Rule] = &[
    Rule::delete("/users/me/", &delete_me).id("delete_own_account").versioned().roles(LISTENER).reach(Reach::Own)
        .maybe_body::<Reauthentication>().no_content().codes(&[Code::ReauthenticationRequired, Code::ServiceBusy])
        .summary("Delete the own account and what it made"),
    Rule::get("/users/deleted/", &list).id("list_deleted_users").roles(ADMINS).reach(Reach::PlatformOrTenant)
        .query(&[FILTERS]).list::<DeletedUserView>()
        .summary("The deleted users that can be restored, the last deleted first"),
    Rule::delete("/users/{id}/", &delete).id("delete_user").versioned().roles(ADMINS).reach(Reach::PlatformOrTenant)
        .no_content().codes(&[Code::UseUsersMe, Code::PermissionDenied])
        .summary("Delete a LISTENER (ADMIN) or an ADMIN (SUPER_ADMIN)"),
    Rule::delete("/users/{id}/delete/", &delete).id("delete_user_as_before").versioned().roles(ADMINS).reach(Reach::PlatformOrTenant)
        .no_content().codes(&[Code::UseUsersMe, Code::PermissionDenied])
        .summary("The same, as earlier clients call it"),
    Rule::post("/users/{id}/restore/", &restore).id("restore_user").roles(ADMINS).reach(Reach::PlatformOrTenant)
        .maybe_body::<Restoration>().data::<UserView>().codes(&[Code::UseUsersMe, Code::PermissionDenied, Code::EmailTaken, Code::UsernameTaken])
        .summary("Restore a deleted user"),
];

pub(crate) async fn delete_me(context: RequestContext) -> HandlerResult {
    let body: Reauthentication = context.json()?;
    let request =
        context.grpc_request(pb::DeleteMeRequest { password: body.password, if_version: context.if_version() });
    context.app.peers.deleted_users().delete_me(request).await?;
    Ok(Reply::no_content())
}

pub(crate) async fn delete(context: RequestContext) -> HandlerResult {
    let request =
        context.grpc_request(pb::DeleteUserRequest { id: context.path("id"), if_version: context.if_version() });
    context.app.peers.deleted_users().delete(request).await?;
    Ok(Reply::no_content())
}

pub(crate) async fn list(context: RequestContext) -> HandlerResult {
    let query = PageQuery::of(&context)?;
    let request = context.grpc_request(pb::ListDeletedUsersRequest {
        page: query.message(),
        deletion_type: context.query_value("deletion_type"),
    });
    let found = context.app.peers.deleted_users().list(request).await?.into_inner();
    page_reply(&context, &query, found.page, found.users.into_iter().map(DeletedUserView::from).collect())
}

pub(crate) async fn restore(context: RequestContext) -> HandlerResult {
    let body: Restoration = context.json()?;
    let request = context.grpc_request(pb::RestoreUserRequest {
        id: context.path("id"),
        restore_data: body.restore_data.unwrap_or(false),
    });
    let user = context.app.peers.deleted_users().restore(request).await?.into_inner();
    Reply::data(200, "User restored.", &UserView::from(user))
}
