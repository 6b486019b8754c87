//! Users: the caller's own profile, and the users that an administrator manages.

pub(crate) mod views;

use kit::caller::Actor;
use kit::{Code, Error};
use proto::auth as pb;

use crate::http::context::{HandlerResult, RequestContext};
use crate::http::page::{PageQuery, page_reply};
use crate::http::param::Param;
use crate::http::reply::Reply;
use crate::http::rule::{ADMINS, PLATFORM, Reach, Rule, SIGNED_IN};

use views::{AdminView, NewUser, PasswordChange, ProfileChange, UserChange, UserCountsView, UserView};

const FILTERS: &[Param] = &[
    Param::text("name", "A part of first name, last name or username.").many(),
    Param::text("email", "A part of the e-mail.").many(),
    Param::one_of("role", &["LISTENER", "ADMIN"], "LISTENERs, or ADMINs.").many(),
    Param::flag("is_active", "Active users, or deactivated ones."),
];

const ADMIN_FILTERS: &[Param] = &[
    Param::ids("tenant_id", "ADMINs of these tenants: ids, separated by commas."),
    Param::text("name", "A part of first name, last name or username.").many(),
    Param::text("email", "A part of the e-mail.").many(),
    Param::flag("is_active", "Active users, or deactivated ones."),
];

/// Fields of a profile that its user may not set.
const READ_ONLY: &[&str] =
    &["id", "email", "role", "tenant_id", "tenant_name", "is_verified", "is_active", "date_joined", "totp_enabled"];
/// Fields of a user that an administrator may not set.
const READ_ONLY_FOR_ADMINS: &[&str] =
    &["id", "username", "email", "role", "tenant_id", "tenant_name", "is_verified", "date_joined", "totp_enabled"];

#[rustfmt::skip] // a table: one rule in two or three lines
pub(crate) const RULES: &[Rule] = &[
    Rule::get("/users/me/", &me).id("get_own_profile").versioned().roles(SIGNED_IN).reach(Reach::Own)
        .data::<UserView>().summary("The own profile"),
    Rule::post("/users/", &create).id("create_user").versioned().locates().roles(ADMINS).reach(Reach::PlatformOrTenant).repeatable()
        .body::<NewUser>().created::<UserView>().codes(&[Code::EmailTaken, Code::UsernameTaken, Code::ServiceBusy, Code::PermissionDenied, Code::ReadOnlyField])
        .summary("Create a LISTENER (ADMIN) or an ADMIN (SUPER_ADMIN)"),
    Rule::patch("/users/me/", &update_me).id("update_own_profile").versioned().roles(SIGNED_IN).reach(Reach::Own)
        .body::<ProfileChange>().data::<UserView>().codes(&[Code::UsernameTaken, Code::ReadOnlyField])
        .summary("Change the own profile"),
    Rule::post("/users/me/change-password/", &change_password).id("change_password").roles(SIGNED_IN).reach(Reach::Own)
        .body::<PasswordChange>().done().codes(&[Code::ServiceBusy, Code::Conflict])
        .summary("Change the own password; every session ends"),
    Rule::get("/users/", &list).id("list_users").roles(ADMINS).reach(Reach::PlatformOrTenant)
        .query(&[FILTERS]).list::<UserView>().platform_data::<UserCountsView>()
        .summary("The users of the own tenant, the newest first; for SUPER_ADMINs how many each tenant has"),
    Rule::get("/super-admin/admins/", &list_admins).id("list_admins").roles(PLATFORM).reach(Reach::Platform)
        .query(&[ADMIN_FILTERS]).list::<AdminView>()
        .summary("The ADMINs of every tenant, the newest first"),
    Rule::patch("/users/{id}/", &update).id("update_user").versioned().roles(ADMINS).reach(Reach::PlatformOrTenant)
        .body::<UserChange>().data::<UserView>().codes(&[Code::UseUsersMe, Code::PermissionDenied, Code::ReadOnlyField])
        .summary("Change a LISTENER (ADMIN) or an ADMIN (SUPER_ADMIN); one who is deactivated is signed out"),
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

pub(crate) async fn update_me(context: RequestContext) -> HandlerResult {
    let body: ProfileChange = context.json()?;
    let request = context.grpc_request(pb::UpdateMeRequest {
        username: body.username,
        first_name: body.first_name,
        last_name: body.last_name,
        phone_no: body.phone_no,
        read_only: context.read_only(READ_ONLY),
        if_version: context.if_version(),
    });
    let user = context.app.peers.users().update_me(request).await?.into_inner();
    let version = user.version;
    Reply::object("Profile changed.", version, &UserView::from(user))
}

pub(crate) async fn update(context: RequestContext) -> HandlerResult {
    let mut users = context.app.peers.users();
    let get = context.grpc_request(pb::GetUserRequest { id: context.path("id") });
    let body: UserChange = context.json_of_object(async { users.get(get).await }).await?;
    let request = context.grpc_request(pb::UpdateUserRequest {
        id: context.path("id"),
        first_name: body.first_name,
        last_name: body.last_name,
        phone_no: body.phone_no,
        is_active: body.is_active,
        read_only: context.read_only(READ_ONLY_FOR_ADMINS),
        if_version: context.if_version(),
    });
    let user = context.app.peers.users().update(request).await?.into_inner();
    let version = user.version;
    Reply::object("User changed.", version, &UserView::from(user))
}

pub(crate) async fn change_password(context: RequestContext) -> HandlerResult {
    let body: PasswordChange = context.json()?;
    let request = context
        .grpc_request(pb::ChangePasswordRequest { old_password: body.old_password, new_password: body.new_password });
    context.app.peers.users().change_password(request).await?;
    Reply::done("Password changed. Please sign in again.")
}

pub(crate) async fn list(context: RequestContext) -> HandlerResult {
    if matches!(context.caller.actor, Actor::Platform { .. }) {
        return count(context).await;
    }
    let query = PageQuery::of(&context)?;
    let request = context.grpc_request(pb::ListUsersRequest {
        page: query.message(),
        name: context.query_values("name"),
        email: context.query_values("email"),
        role: context.query_values("role"),
        is_active: context.query_flag("is_active")?,
    });
    let found = context.app.peers.users().list(request).await?.into_inner();
    page_reply(&context, &query, found.page, found.users.into_iter().map(UserView::from).collect())
}

/// The platform is told numbers of users and nothing else.
async fn count(context: RequestContext) -> HandlerResult {
    if !context.query.is_empty() {
        let refused = context.query.iter().fold(Error::new(Code::UnknownParameter), |error, (name, _)| {
            error.field(name, "Not for SUPER_ADMINs: they are told numbers of users only.")
        });
        return Err(refused.into());
    }
    let request = context.grpc_request(pb::CountUsersRequest {});
    let counts = context.app.peers.users().count(request).await?.into_inner();
    Reply::data(200, "Users.", &UserCountsView::from(counts))
}

pub(crate) async fn list_admins(context: RequestContext) -> HandlerResult {
    let query = PageQuery::of(&context)?;
    let request = context.grpc_request(pb::ListAdminsRequest {
        page: query.message(),
        tenant_id: context.query_ids("tenant_id"),
        name: context.query_values("name"),
        email: context.query_values("email"),
        is_active: context.query_flag("is_active")?,
    });
    let found = context.app.peers.users().list_admins(request).await?.into_inner();
    page_reply(&context, &query, found.page, found.admins.into_iter().map(AdminView::from).collect())
}
