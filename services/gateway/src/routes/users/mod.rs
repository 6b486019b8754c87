//! Users: the caller's own profile, and the users that an administrator manages.

pub(crate) mod views;

use kit::Code;
use proto::auth as pb;

use crate::http::context::{HandlerResult, RequestContext};
use crate::http::reply::Reply;
use crate::http::rule::{ADMINS, Reach, Rule, SIGNED_IN};

use views::{NewUser, UserView};

#[rustfmt::skip] // a table: one rule in two or three lines
pub(crate) const RULES: &[Rule] = &[
    Rule::get("/users/me/", &me).id("get_own_profile").versioned().roles(SIGNED_IN).reach(Reach::Own)
        .data::<UserView>().summary("The own profile"),
    Rule::post("/users/", &create).id("create_user").versioned().locates().roles(ADMINS).reach(Reach::PlatformOrTenant).repeatable()
        .body::<NewUser>().created::<UserView>().codes(&[Code::EmailTaken, Code::UsernameTaken, Code::ServiceBusy, Code::PermissionDenied, Code::ReadOnlyField])
        .summary("Create a LISTENER (ADMIN) or an ADMIN (SUPER_ADMIN)"),
    Rule::get("/users/{id}/", &get).id("get_user").versioned().roles(ADMINS).reach(Reach::PlatformOrTenant)
        .data::<UserView>().codes(&[Code::UseUsersMe])
        .summary("A user"),
];

pub(crate) async fn me(context: RequestContext) -> HandlerResult {
    let user = context.app.peers.users().get_me(context.grpc_request(pb::GetMeRequest {})).await?.into_inner();
    let version = user.version;
    Reply::object("Your profile.", version, &UserView::from(user))
}

pub(crate) async fn get(context: RequestContext) -> HandlerResult {
    let user = context
        .app
        .peers
        .users()
        .get(context.grpc_request(pb::GetUserRequest { id: context.path("id") }))
        .await?
        .into_inner();
    let version = user.version;
    Reply::object("User.", version, &UserView::from(user))
}

pub(crate) async fn create(context: RequestContext) -> HandlerResult {
    let body: NewUser = context.json()?;
    let request = context.grpc_request(pb::CreateUserRequest {
        username: body.username,
        email: body.email,
        password: body.password,
        first_name: body.first_name.unwrap_or_default(),
        last_name: body.last_name.unwrap_or_default(),
        phone_no: body.phone_no.unwrap_or_default(),
        tenant_id: body.tenant_id,
        role: body.role,
    });
    let made = context.app.peers.users().create(request).await?;
    let view = UserView::from(made.get_ref().clone());
    Ok(Reply::created(context.request.path(), "User created; a verification code is on its way.", &view.id, &view)?
        .versioned(made.get_ref().version, &view)?
        .replayed_by(&made))
}
