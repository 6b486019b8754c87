//! Tenants, managed by the platform.

mod views;

use kit::Code;
use proto::auth as pb;

use crate::http::context::{HandlerResult, RequestContext};
use crate::http::page::{PageQuery, page_reply};
use crate::http::param::Param;
use crate::http::reply::Reply;
use crate::http::rule::{ADMINS, PLATFORM, Reach, Rule};

use views::{NewTenant, TenantChange, TenantView};

const FILTERS: &[Param] = &[
    Param::text("name", "A part of the name.").many(),
    Param::flag("is_active", "Active tenants, or deactivated ones."),
    Param::flag("is_premium", "Premium tenants, or others."),
    Param::flag("include_deleted", "Deleted tenants too; they have deleted_at."),
];

#[rustfmt::skip] // a table: one rule in two or three lines
pub(crate) const RULES: &[Rule] = &[
    Rule::get("/tenants/", &list).id("list_tenants").roles(PLATFORM).reach(Reach::Platform)
        .query(&[FILTERS]).list::<TenantView>()
        .summary("The tenants, the newest first"),
    Rule::post("/tenants/", &create).id("create_tenant").versioned().locates().roles(PLATFORM).reach(Reach::Platform).repeatable()
        .body::<NewTenant>().created::<TenantView>().codes(&[Code::TenantExists, Code::SlugTaken])
        .summary("Create a tenant"),
    Rule::get("/tenants/{id}/", &get).id("get_tenant").versioned().roles(ADMINS).reach(Reach::PlatformOrTenant)
        .data::<TenantView>().summary("A tenant"),
    Rule::patch("/tenants/{id}/", &update).id("update_tenant").versioned().roles(PLATFORM).reach(Reach::Platform)
        .body::<TenantChange>().data::<TenantView>().codes(&[Code::TenantExists, Code::SlugTaken, Code::ReadOnlyField])
        .summary("Change a tenant; when it is deactivated, its users are locked out"),
    Rule::delete("/tenants/{id}/", &delete).id("delete_tenant").versioned().roles(PLATFORM).reach(Reach::Platform)
        .no_content().codes(&[Code::TenantHasUsers])
        .summary("Delete a tenant without users"),
    Rule::patch("/tenants/{id}/activate/", &activate).id("activate_tenant").roles(PLATFORM).reach(Reach::Platform)
        .data::<TenantView>().summary("Let the users of a tenant in"),
    Rule::patch("/tenants/{id}/deactivate/", &deactivate).id("deactivate_tenant").roles(PLATFORM).reach(Reach::Platform)
        .data::<TenantView>().summary("Lock every user of a tenant out"),
];

pub(crate) async fn create(context: RequestContext) -> HandlerResult {
    let body: NewTenant = context.json()?;
    let request = context.grpc_request(pb::CreateTenantRequest { name: body.name, slug: body.slug });
    let made = context.app.peers.tenants().create(request).await?;
    let view = TenantView::from(made.get_ref().clone());
    Ok(Reply::created(context.request.path(), "Tenant created.", &view.id, &view)?
        .versioned(made.get_ref().version, &view)?
        .replayed_by(&made))
}

pub(crate) async fn get(context: RequestContext) -> HandlerResult {
    let tenant = context
        .app
        .peers
        .tenants()
        .get(context.grpc_request(pb::GetTenantRequest { id: context.path("id") }))
        .await?
        .into_inner();
    let version = tenant.version;
    Reply::object("Tenant.", version, &TenantView::from(tenant))
}

pub(crate) async fn list(context: RequestContext) -> HandlerResult {
    let query = PageQuery::of(&context)?;
    let request = context.grpc_request(pb::ListTenantsRequest {
        page: query.message(),
        name: context.query_values("name"),
        is_active: context.query_flag("is_active")?,
        is_premium: context.query_flag("is_premium")?,
        include_deleted: context.query_flag("include_deleted")?.unwrap_or(false),
    });
    let found = context.app.peers.tenants().list(request).await?.into_inner();
    page_reply(&context, &query, found.page, found.tenants.into_iter().map(TenantView::from).collect())
}

/// Fields that may not be set.
const READ_ONLY: &[&str] = &["id", "is_premium", "user_count", "created_at", "updated_at", "deleted_at"];

pub(crate) async fn update(context: RequestContext) -> HandlerResult {
    let mut tenants = context.app.peers.tenants();
    let get = context.grpc_request(pb::GetTenantRequest { id: context.path("id") });
    let body: TenantChange = context.json_of_object(async { tenants.get(get).await }).await?;
    let request = context.grpc_request(pb::UpdateTenantRequest {
        id: context.path("id"),
        name: body.name,
        slug: body.slug,
        is_active: body.is_active,
        read_only: context.read_only(READ_ONLY),
        if_version: context.if_version(),
    });
    let tenant = context.app.peers.tenants().update(request).await?.into_inner();
    let version = tenant.version;
    Reply::object("Tenant changed.", version, &TenantView::from(tenant))
}

pub(crate) async fn delete(context: RequestContext) -> HandlerResult {
    let request =
        context.grpc_request(pb::DeleteTenantRequest { id: context.path("id"), if_version: context.if_version() });
    context.app.peers.tenants().delete(request).await?;
    Ok(Reply::no_content())
}

pub(crate) async fn activate(context: RequestContext) -> HandlerResult {
    set_active(context, true).await
}

pub(crate) async fn deactivate(context: RequestContext) -> HandlerResult {
    set_active(context, false).await
}

async fn set_active(context: RequestContext, is_active: bool) -> HandlerResult {
    let request = context.grpc_request(pb::SetTenantActiveRequest { id: context.path("id"), is_active });
    let tenant = context.app.peers.tenants().set_active(request).await?.into_inner();
    Reply::data(200, if is_active { "Tenant activated." } else { "Tenant deactivated." }, &TenantView::from(tenant))
}
