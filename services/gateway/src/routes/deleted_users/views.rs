use proto::auth as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::context::not_null;
use crate::http::reply::time;
use crate::routes::users::views::role_name;

/// Needed when the sign-in was more than five minutes ago.
#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "password": "correct horse battery" })))]
pub(crate) struct Reauthentication {
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub password: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "restore_data": true })))]
pub(crate) struct Restoration {
    /// Also playlists and song requests, except those that the user had deleted; false when missing.
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub restore_data: Option<bool>,
}

/// A deleted user.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedUserView {
    pub id: String,
    pub email: String,
    pub username: String,
    pub role: &'static str,
    pub deleted_at: String,
    pub deleted_by: Option<String>,
    pub deleted_by_username: Option<String>,
    /// `self`, `admin` or `super_admin`.
    pub deletion_type: String,
    pub tenant_id: String,
    pub tenant_name: String,
}

impl From<pb::DeletedUser> for DeletedUserView {
    fn from(user: pb::DeletedUser) -> Self {
        Self {
            role: role_name(user.role()),
            id: user.id,
            email: user.email,
            username: user.username,
            deleted_at: time(user.deleted_at),
            deleted_by: user.deleted_by,
            deleted_by_username: user.deleted_by_username,
            deletion_type: user.deletion_type,
            tenant_id: user.tenant_id,
            tenant_name: user.tenant_name,
        }
    }
}
