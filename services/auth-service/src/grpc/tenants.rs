use kit::grpc::{answer, open};
use proto::auth::tenants_server::{Tenants, TenantsServer};
use proto::auth::{
    CreateTenantRequest, DeleteTenantRequest, DeleteTenantResponse, GetTenantRequest, ListTenantsRequest,
    ListTenantsResponse, SetTenantActiveRequest, Tenant, UpdateTenantRequest,
};
use proto::common::PageInfo;
use proto::time::to_proto;
use proto::tonic::{Request, Response, Status};
use rpc::page;

use crate::App;
use crate::domain::tenants::{self, Update};
use crate::store::tenants::{Filter, Tenant as Row};

struct Grpc(App);

pub(super) fn service(app: &App) -> TenantsServer<impl Tenants> {
    TenantsServer::new(Grpc(app.clone()))
}

fn message(row: Row) -> Tenant {
    Tenant {
        id: row.id.to_string(),
        name: row.name,
        slug: row.slug,
        is_active: row.is_active,
        is_premium: row.is_premium,
        user_count: row.user_count,
        created_at: to_proto(row.created_at),
        updated_at: to_proto(row.updated_at),
        version: row.version,
        deleted_at: row.deleted_at.and_then(to_proto),
    }
}

#[tonic::async_trait]
impl Tenants for Grpc {
    async fn create(&self, request: Request<CreateTenantRequest>) -> Result<Response<Tenant>, Status> {
        let (caller, asked) = open(request)?;
        let made = tenants::create(&self.0, &caller, &asked.name, asked.slug.as_deref()).await?;
        Ok(answer(message(made.value), made.replayed))
    }

    async fn get(&self, request: Request<GetTenantRequest>) -> Result<Response<Tenant>, Status> {
        let (caller, asked) = open(request)?;
        Ok(Response::new(message(tenants::get(&self.0, &caller, &asked.id).await?)))
    }

    async fn list(&self, request: Request<ListTenantsRequest>) -> Result<Response<ListTenantsResponse>, Status> {
        let (caller, asked) = open(request)?;
        let filter = Filter {
            name_norm: asked.name,
            is_active: asked.is_active,
            is_premium: asked.is_premium,
            include_deleted: asked.include_deleted,
        };
        let found = tenants::list(&self.0, &caller, filter, &page(asked.page)).await?;
        Ok(Response::new(ListTenantsResponse {
            tenants: found.rows.into_iter().map(message).collect(),
            page: Some(PageInfo::new(found.count, found.next_cursor)),
        }))
    }

    async fn set_active(&self, request: Request<SetTenantActiveRequest>) -> Result<Response<Tenant>, Status> {
        let (caller, asked) = open(request)?;
        Ok(Response::new(message(tenants::set_active(&self.0, &caller, &asked.id, asked.is_active).await?)))
    }

    async fn update(&self, request: Request<UpdateTenantRequest>) -> Result<Response<Tenant>, Status> {
        let (caller, asked) = open(request)?;
        let update = Update {
            name: asked.name,
            slug: asked.slug,
            is_active: asked.is_active,
            read_only: asked.read_only,
            if_version: asked.if_version,
        };
        Ok(Response::new(message(tenants::update(&self.0, &caller, &asked.id, &update).await?)))
    }

    async fn delete(&self, request: Request<DeleteTenantRequest>) -> Result<Response<DeleteTenantResponse>, Status> {
        let (caller, asked) = open(request)?;
        tenants::delete(&self.0, &caller, &asked.id, asked.if_version).await?;
        Ok(Response::new(DeleteTenantResponse {}))
    }
}
