use kit::Secret;
use kit::grpc::open;
use proto::auth::deleted_users_server::{DeletedUsers, DeletedUsersServer};
use proto::auth::{
    DeleteMeRequest, DeleteMeResponse, DeleteUserRequest, DeleteUserResponse, DeletedUser, ListDeletedUsersRequest,
    ListDeletedUsersResponse, RestoreUserRequest, User,
};
use proto::common::PageInfo;
use proto::time::to_proto;
use proto::tonic::{Request, Response, Status};
use rpc::page;

use super::users::{message, role};
use crate::App;
use crate::domain::deleted_users::{self, Deleted};

struct Grpc(App);

pub(super) fn service(app: &App) -> DeletedUsersServer<impl DeletedUsers> {
    DeletedUsersServer::new(Grpc(app.clone()))
}

fn deleted(row: Deleted) -> DeletedUser {
    DeletedUser {
        role: role(&row.user.role).into(),
        id: row.user.id.to_string(),
        email: row.user.email,
        username: row.user.username,
        deleted_at: row.user.deleted_at.and_then(to_proto),
        deleted_by: row.user.deleted_by.map(|id| id.to_string()),
        deleted_by_username: row.deleted_by_username,
        deletion_type: row.deletion.name().to_owned(),
        tenant_id: row.user.tenant_id.map(|id| id.to_string()).unwrap_or_default(),
        tenant_name: row.tenant_name,
    }
}

#[tonic::async_trait]
impl DeletedUsers for Grpc {
    async fn delete_me(&self, request: Request<DeleteMeRequest>) -> Result<Response<DeleteMeResponse>, Status> {
        let (caller, asked) = open(request)?;
        let password = asked.password.map(Secret::new);
        deleted_users::delete_own(&self.0, &caller, password.as_ref(), asked.if_version).await?;
        Ok(Response::new(DeleteMeResponse {}))
    }

    async fn delete(&self, request: Request<DeleteUserRequest>) -> Result<Response<DeleteUserResponse>, Status> {
        let (caller, asked) = open(request)?;
        deleted_users::delete_managed(&self.0, &caller, &asked.id, asked.if_version).await?;
        Ok(Response::new(DeleteUserResponse {}))
    }

    async fn list(
        &self,
        request: Request<ListDeletedUsersRequest>,
    ) -> Result<Response<ListDeletedUsersResponse>, Status> {
        let (caller, asked) = open(request)?;
        let kind = asked.deletion_type.as_deref();
        let found = deleted_users::list(&self.0, &caller, kind, &page(asked.page)).await?;
        Ok(Response::new(ListDeletedUsersResponse {
            users: found.rows.into_iter().map(deleted).collect(),
            page: Some(PageInfo::new(found.count, found.next_cursor)),
        }))
    }

    async fn restore(&self, request: Request<RestoreUserRequest>) -> Result<Response<User>, Status> {
        let (caller, asked) = open(request)?;
        Ok(Response::new(message(deleted_users::restore(&self.0, &caller, &asked.id, asked.restore_data).await?)))
    }
}
