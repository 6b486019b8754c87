use proto::auth as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::context::not_null;
use crate::http::reply::time;

/// A profile.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserView {
    pub id: String,
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub phone_no: String,
    pub role: &'static str,
    pub tenant_id: Option<String>,
    pub tenant_name: Option<String>,
    pub is_verified: bool,
    pub is_active: bool,
    pub date_joined: String,
    pub totp_enabled: bool,
}

/// The name of a role.
pub(crate) fn role_name(role: pb::Role) -> &'static str {
    match role {
        pb::Role::Admin => "ADMIN",
        pb::Role::SuperAdmin => "SUPER_ADMIN",
        pb::Role::Listener | pb::Role::Unspecified => "LISTENER",
    }
}

impl From<pb::User> for UserView {
    fn from(user: pb::User) -> Self {
        let role = role_name(user.role());
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
#[schema(examples(json!({ "email": "ravi@example.com", "username": "ravi", "first_name": "Ravi", "phone_no": "+919876543210" })))]
pub(crate) struct NewUser {
    #[schema(required = true)]
    #[serde(default)]
    pub username: String,
    #[schema(required = true)]
    #[serde(default)]
    pub email: String,
    /// When missing, the user sets a password with the code of a password reset.
    pub password: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub phone_no: Option<String>,
    /// Named by SUPER_ADMINs only.
    pub tenant_id: Option<String>,
    pub role: Option<String>,
}

/// Changes of the own profile; a field that is missing stays as it is.
#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "first_name": "Asha", "last_name": "Rao", "phone_no": "+919876543210" })))]
pub(crate) struct ProfileChange {
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub username: Option<String>,
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub first_name: Option<String>,
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub last_name: Option<String>,
    /// E.164; empty removes it.
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub phone_no: Option<String>,
}

/// Changes of a user by an administrator; a field that is missing stays as it is.
#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "first_name": "Asha", "is_active": true })))]
pub(crate) struct UserChange {
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub first_name: Option<String>,
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub last_name: Option<String>,
    /// E.164; empty removes it.
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub phone_no: Option<String>,
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub is_active: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "old_password": "correct horse battery", "new_password": "staple battery horse" })))]
pub(crate) struct PasswordChange {
    #[schema(required = true)]
    #[serde(default)]
    pub old_password: String,
    #[schema(required = true)]
    #[serde(default)]
    pub new_password: String,
}

/// How many live users the platform has.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserCountsView {
    pub total_users: i64,
    pub per_tenant: Vec<TenantUsersView>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TenantUsersView {
    pub tenant_id: String,
    pub tenant_name: String,
    pub users: i64,
}

impl From<pb::CountUsersResponse> for UserCountsView {
    fn from(counts: pb::CountUsersResponse) -> Self {
        let per_tenant = |row: pb::TenantUsers| TenantUsersView {
            tenant_id: row.tenant_id,
            tenant_name: row.tenant_name,
            users: row.users,
        };
        Self { total_users: counts.total_users, per_tenant: counts.per_tenant.into_iter().map(per_tenant).collect() }
    }
}

/// An ADMIN as the platform sees one.
#[derive(Serialize, ToSchema)]
pub(crate) struct AdminView {
    pub id: String,
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub phone_no: String,
    pub role: &'static str,
    pub tenant_id: Option<String>,
    pub tenant_name: Option<String>,
    pub tenant_is_active: bool,
    pub is_verified: bool,
    pub is_active: bool,
    pub date_joined: String,
    pub totp_enabled: bool,
}

impl From<pb::Admin> for AdminView {
    fn from(admin: pb::Admin) -> Self {
        let tenant_is_active = admin.tenant_is_active;
        let UserView {
            id,
            username,
            email,
            first_name,
            last_name,
            phone_no,
            role,
            tenant_id,
            tenant_name,
            is_verified,
            is_active,
            date_joined,
            totp_enabled,
        } = UserView::from(admin.user.unwrap_or_default());
        Self {
            id,
            username,
            email,
            first_name,
            last_name,
            phone_no,
            role,
            tenant_id,
            tenant_name,
            tenant_is_active,
            is_verified,
            is_active,
            date_joined,
            totp_enabled,
        }
    }
}
