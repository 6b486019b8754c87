use kit::Secret;
use kit::caller::Role as CallerRole;
use kit::grpc::{answer, open};
use proto::auth::users_server::{Users, UsersServer};
use proto::auth::{
    Admin, ChangePasswordRequest, ChangePasswordResponse, CountUsersRequest, CountUsersResponse, CreateUserRequest,
    DescribeUsersRequest, DescribeUsersResponse, GetMeRequest, GetUserRequest, ListAdminsRequest, ListAdminsResponse,
    ListUsersRequest, ListUsersResponse, Role, TenantUsers, UpdateMeRequest, UpdateUserRequest, User, UserDescription,
};
use proto::common::PageInfo;
use proto::time::to_proto;
use proto::tonic::{Request, Response, Status};
use rpc::page;

use crate::App;
use crate::domain::identity::RawPerson;
use crate::domain::users::{self, NewUser, Profile, Wanted};
use crate::domain::{password_changes, profiles};

struct Grpc(App);

pub(super) fn service(app: &App) -> UsersServer<impl Users> {
    UsersServer::new(Grpc(app.clone()))
}

pub(super) fn role(name: &str) -> Role {
    match CallerRole::of_name(name) {
        Some(CallerRole::Listener) => Role::Listener,
        Some(CallerRole::Admin) => Role::Admin,
        Some(CallerRole::SuperAdmin) => Role::SuperAdmin,
        None => Role::Unspecified,
    }
}

pub(super) fn message(profile: Profile) -> User {
    let user = profile.user;
    let role = role(&user.role);
    User {
        id: user.id.to_string(),
        username: user.username,
        email: user.email,
        first_name: user.first_name,
        last_name: user.last_name,
        phone_no: user.phone_no,
        role: role.into(),
        tenant_id: user.tenant_id.map(|id| id.to_string()),
        tenant_name: profile.tenant_name,
        is_verified: user.is_verified,
        is_active: user.is_active,
        date_joined: to_proto(user.created_at),
        totp_enabled: user.totp_enabled,
        version: user.version,
    }
}

#[tonic::async_trait]
impl Users for Grpc {
    async fn get_me(&self, request: Request<GetMeRequest>) -> Result<Response<User>, Status> {
        let (caller, _) = open(request)?;
        Ok(Response::new(message(users::me(&self.0, &caller).await?)))
    }

    async fn get(&self, request: Request<GetUserRequest>) -> Result<Response<User>, Status> {
        let (caller, asked) = open(request)?;
        Ok(Response::new(message(users::get(&self.0, &caller, &asked.id).await?)))
    }

    async fn create(&self, request: Request<CreateUserRequest>) -> Result<Response<User>, Status> {
        let (caller, asked) = open(request)?;
        let new = NewUser {
            person: RawPerson {
                username: asked.username,
                email: asked.email,
                first_name: asked.first_name,
                last_name: asked.last_name,
                phone_no: asked.phone_no,
            },
            password: asked.password.map(Secret::new),
            tenant: asked.tenant_id,
            role: asked.role,
        };
        let made = users::create(&self.0, &caller, &new).await?;
        Ok(answer(message(made.value), made.replayed))
    }

    async fn list(&self, request: Request<ListUsersRequest>) -> Result<Response<ListUsersResponse>, Status> {
        let (caller, asked) = open(request)?;
        let wanted = Wanted {
            names: asked.name,
            emails: asked.email,
            roles: asked.role,
            is_active: asked.is_active,
            tenants: Vec::new(),
        };
        let found = users::list(&self.0, &caller, wanted, &page(asked.page)).await?;
        Ok(Response::new(ListUsersResponse {
            users: found.rows.into_iter().map(message).collect(),
            page: Some(PageInfo::new(found.count, found.next_cursor)),
        }))
    }

    async fn count(&self, request: Request<CountUsersRequest>) -> Result<Response<CountUsersResponse>, Status> {
        let (caller, _) = open(request)?;
        let counts = users::count(&self.0, &caller).await?;
        let per_tenant = |row: users::TenantUsers| TenantUsers {
            tenant_id: row.tenant.to_string(),
            tenant_name: row.tenant_name,
            users: row.users,
        };
        Ok(Response::new(CountUsersResponse {
            total_users: counts.iter().map(|row| row.users).sum(),
            per_tenant: counts.into_iter().map(per_tenant).collect(),
        }))
    }

    async fn list_admins(&self, request: Request<ListAdminsRequest>) -> Result<Response<ListAdminsResponse>, Status> {
        let (caller, asked) = open(request)?;
        let wanted = Wanted {
            names: asked.name,
            emails: asked.email,
            tenants: asked.tenant_id,
            is_active: asked.is_active,
            roles: Vec::new(),
        };
        let found = users::list_admins(&self.0, &caller, wanted, &page(asked.page)).await?;
        let admin =
            |row: users::Admin| Admin { user: Some(message(row.profile)), tenant_is_active: row.tenant_is_active };
        Ok(Response::new(ListAdminsResponse {
            admins: found.rows.into_iter().map(admin).collect(),
            page: Some(PageInfo::new(found.count, found.next_cursor)),
        }))
    }

    async fn update_me(&self, request: Request<UpdateMeRequest>) -> Result<Response<User>, Status> {
        let (caller, asked) = open(request)?;
        let input = profiles::Input {
            username: asked.username,
            first_name: asked.first_name,
            last_name: asked.last_name,
            phone_no: asked.phone_no,
            is_active: None,
            read_only: asked.read_only,
            if_version: asked.if_version,
        };
        Ok(Response::new(message(profiles::update_own(&self.0, &caller, &input).await?)))
    }

    async fn update(&self, request: Request<UpdateUserRequest>) -> Result<Response<User>, Status> {
        let (caller, asked) = open(request)?;
        let input = profiles::Input {
            username: None,
            first_name: asked.first_name,
            last_name: asked.last_name,
            phone_no: asked.phone_no,
            is_active: asked.is_active,
            read_only: asked.read_only,
            if_version: asked.if_version,
        };
        Ok(Response::new(message(profiles::update_managed(&self.0, &caller, &asked.id, &input).await?)))
    }

    async fn change_password(
        &self,
        request: Request<ChangePasswordRequest>,
    ) -> Result<Response<ChangePasswordResponse>, Status> {
        let (caller, asked) = open(request)?;
        let (old, new) = (Secret::new(asked.old_password), Secret::new(asked.new_password));
        password_changes::change(&self.0, &caller, &old, &new).await?;
        Ok(Response::new(ChangePasswordResponse {}))
    }

    async fn describe(
        &self,
        request: Request<DescribeUsersRequest>,
    ) -> Result<Response<DescribeUsersResponse>, Status> {
        let (caller, asked) = open(request)?;
        let found = users::describe(&self.0, &caller, &asked.tenant_id, &asked.ids).await?;
        let users = found
            .into_iter()
            .map(|user| UserDescription { id: user.id.to_string(), name: user.name, email: user.email })
            .collect();
        Ok(Response::new(DescribeUsersResponse { users }))
    }
}
