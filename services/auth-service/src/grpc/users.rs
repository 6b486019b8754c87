use kit::Secret;
use kit::caller::Role as CallerRole;
use kit::grpc::{answer, open};
use proto::auth::users_server::{Users, UsersServer};
use proto::auth::{
    CreateUserRequest, DescribeUsersRequest, DescribeUsersResponse, GetMeRequest, GetUserRequest, Role, User,
    UserDescription,
};
use proto::time::to_proto;
use proto::tonic::{Request, Response, Status};

use crate::App;
use crate::domain::identity::RawPerson;
use crate::domain::users::{self, NewUser, Profile};

struct Grpc(App);

pub(super) fn service(app: &App) -> UsersServer<impl Users> {
    UsersServer::new(Grpc(app.clone()))
}

pub(super) fn message(profile: Profile) -> User {
    let user = profile.user;
    let role = match CallerRole::of_name(&user.role) {
        Some(CallerRole::Listener) => Role::Listener,
        Some(CallerRole::Admin) => Role::Admin,
        Some(CallerRole::SuperAdmin) => Role::SuperAdmin,
        None => Role::Unspecified,
    };
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
