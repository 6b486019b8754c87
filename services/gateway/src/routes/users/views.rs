use proto::auth as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
