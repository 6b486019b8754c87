use proto::auth as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::context::not_null;
use crate::http::reply::{opt_time, time};

/// An organisation.
#[derive(Serialize, ToSchema)]
pub(crate) struct TenantView {
    pub id: String,
    pub name: String,
    pub slug: String,
    pub is_active: bool,
    pub is_premium: bool,
    pub user_count: i64,
    pub created_at: String,
    pub updated_at: String,
    /// Null while it is live.
    pub deleted_at: Option<String>,
}

impl From<pb::Tenant> for TenantView {
    fn from(tenant: pb::Tenant) -> Self {
        Self {
            id: tenant.id,
            name: tenant.name,
            slug: tenant.slug,
            is_active: tenant.is_active,
            is_premium: tenant.is_premium,
            user_count: tenant.user_count,
            created_at: time(tenant.created_at),
            updated_at: time(tenant.updated_at),
            deleted_at: opt_time(tenant.deleted_at),
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "name": "Blue Frog", "slug": "blue-frog" })))]
pub(crate) struct NewTenant {
    #[schema(required = true)]
    #[serde(default)]
    pub name: String,
    /// Made from the name when missing.
    pub slug: Option<String>,
}

/// Changes of a tenant; a field that is missing stays as it is.
#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "name": "Blue Frog Mumbai" })))]
pub(crate) struct TenantChange {
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub name: Option<String>,
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub slug: Option<String>,
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub is_active: Option<bool>,
}
