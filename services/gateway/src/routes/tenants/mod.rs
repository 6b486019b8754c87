use proto::auth as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::context::{Answered, Cx};
use crate::http::page::{Wanted, list as page};
use crate::http::reply::{Reply, time};

/// An organisation.
#[derive(Serialize, ToSchema)]
pub(crate) struct TenantView {
    id: String,
    name: String,
    slug: String,
    is_active: bool,
    is_premium: bool,
    user_count: i64,
    created_at: String,
    updated_at: String,
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
        }
    }
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct NewTenant {
    #[serde(default)]
    name: String,
    /// Made from the name when missing.
    slug: Option<String>,
}

pub(crate) async fn create(cx: Cx) -> Answered {
    let body: NewTenant = cx.json()?;
    let request = cx.ask(pb::CreateTenantRequest { name: body.name, slug: body.slug });
    let made = cx.app.peers.tenants().create(request).await?;
    let view = TenantView::from(made.get_ref().clone());
    Ok(Reply::data(201, "Tenant created.", &view)?.replayed_by(&made))
}

pub(crate) async fn get(cx: Cx) -> Answered {
    let tenant = cx.app.peers.tenants().get(cx.ask(pb::GetTenantRequest { id: cx.path("id") })).await?.into_inner();
    let version = tenant.version;
    Reply::object(&cx, "Tenant.", version, &TenantView::from(tenant))
}

pub(crate) async fn list(cx: Cx) -> Answered {
    let wanted = Wanted::of(&cx)?;
    let request = cx.ask(pb::ListTenantsRequest {
        page: wanted.message(),
        name: cx.all("name"),
        is_active: cx.flag("is_active")?,
        is_premium: cx.flag("is_premium")?,
    });
    let found = cx.app.peers.tenants().list(request).await?.into_inner();
    page(&cx, &wanted, found.page, found.tenants.into_iter().map(TenantView::from).collect())
}

pub(crate) async fn activate(cx: Cx) -> Answered {
    set_active(cx, true).await
}

pub(crate) async fn deactivate(cx: Cx) -> Answered {
    set_active(cx, false).await
}

async fn set_active(cx: Cx, is_active: bool) -> Answered {
    let request = cx.ask(pb::SetTenantActiveRequest { id: cx.path("id"), is_active });
    let tenant = cx.app.peers.tenants().set_active(request).await?.into_inner();
    Reply::data(200, if is_active { "Tenant activated." } else { "Tenant deactivated." }, &TenantView::from(tenant))
}
