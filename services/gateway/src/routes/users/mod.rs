use proto::auth as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::context::{Answered, Cx};
use crate::http::reply::{Reply, time};

/// A profile.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserView {
    id: String,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    phone_no: String,
    role: &'static str,
    tenant_id: Option<String>,
    tenant_name: Option<String>,
    is_verified: bool,
    is_active: bool,
    date_joined: String,
    totp_enabled: bool,
}

impl From<pb::User> for UserView {
    fn from(user: pb::User) -> Self {
        let role = match user.role() {
            pb::Role::Admin => "ADMIN",
            pb::Role::SuperAdmin => "SUPER_ADMIN",
            pb::Role::Listener | pb::Role::Unspecified => "LISTENER",
        };
        Self {
            id: user.id,
            username: user.username,
            email: user.email,
            first_name: user.first_name,
            last_name: user.last_name,
            phone_no: user.phone_no,
            role,
            tenant_id: user.tenant_id,
            tenant_name: user.tenant_name,
            is_verified: user.is_verified,
            is_active: user.is_active,
            date_joined: time(user.date_joined),
            totp_enabled: user.totp_enabled,
        }
    }
}

/// A user that an administrator creates.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewUser {
    #[serde(default)]
    username: String,
    #[serde(default)]
    email: String,
    /// Without one the person sets it by the reset code.
    password: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    phone_no: Option<String>,
    /// Only a SUPER_ADMIN names one.
    tenant_id: Option<String>,
    role: Option<String>,
}

pub(crate) async fn me(cx: Cx) -> Answered {
    let user = cx.app.peers.users().get_me(cx.ask(pb::GetMeRequest {})).await?.into_inner();
    let version = user.version;
    Reply::object(&cx, "Your profile.", version, &UserView::from(user))
}

pub(crate) async fn get(cx: Cx) -> Answered {
    let user = cx.app.peers.users().get(cx.ask(pb::GetUserRequest { id: cx.path("id") })).await?.into_inner();
    let version = user.version;
    Reply::object(&cx, "User.", version, &UserView::from(user))
}

pub(crate) async fn create(cx: Cx) -> Answered {
    let body: NewUser = cx.json()?;
    let request = cx.ask(pb::CreateUserRequest {
        username: body.username,
        email: body.email,
        password: body.password,
        first_name: body.first_name.unwrap_or_default(),
        last_name: body.last_name.unwrap_or_default(),
        phone_no: body.phone_no.unwrap_or_default(),
        tenant_id: body.tenant_id,
        role: body.role,
    });
    let made = cx.app.peers.users().create(request).await?;
    let view = UserView::from(made.get_ref().clone());
    Ok(Reply::data(201, "User created; a verification code is on its way.", &view)?.replayed_by(&made))
}
