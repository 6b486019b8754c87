use futures_util::future::try_join;
use kit::caller::{Actor, Caller, Role};
use kit::error::Faults;
use kit::ids::{TenantId, UserId};
use kit::{Code, Error, Secret};
use kit_pg::{Conn, IdempotencyKey, Once, Scope};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::challenges::{self, Addressee, Purpose};
use super::identity::{RawPerson, compared};
use super::{audit, limits, passwords};
use crate::App;
use crate::store::users::{self, User};
use crate::store::{self};

/// The most users that one call describes.
const MAX_DESCRIBED: usize = 100;

/// A user with the name of the tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub user: User,
    pub tenant_name: Option<String>,
}

/// A user to be created by an administrator.
pub(crate) struct NewUser {
    pub person: RawPerson,
    /// When missing, the user sets a password with the code of a password reset.
    pub password: Option<Secret>,
    pub tenant: Option<String>,
    pub role: Option<String>,
}

/// The caller's own profile.
pub(crate) async fn me(app: &App, caller: &Caller) -> Result<Profile, Error> {
    let (id, realm) = match &caller.actor {
        Actor::User { id, tenant, .. } => (*id, Some(*tenant)),
        Actor::Platform { id, .. } => (*id, None),
        _ => return Err(Error::forbidden()),
    };
    let (user, tenant_name) = app
        .pg
        .read(Scope::of(caller)?.one_plan(), async |conn: &Conn| {
            try_join(users::find(conn, realm, id), users::tenant_name(conn, realm.map(|tenant| tenant.0))).await
        })
        .await?;
    Ok(Profile { user, tenant_name })
}

/// A user by id: an ADMIN may read the users of the own tenant, a SUPER_ADMIN may read ADMINs.
///
/// # Errors
/// `use_users_me` for the caller's own id.
pub(crate) async fn get(app: &App, caller: &Caller, id: &str) -> Result<Profile, Error> {
    let scope = Scope::of(caller)?;
    let own = match scope.tenant() {
        Some(_) => caller.admin()?.0,
        None => caller.super_admin()?,
    };
    let id = UserId::parse(id)?;
    if id == own {
        return Err(Error::new(Code::UseUsersMe));
    }
    let (user, tenant_name) = app
        .pg
        .read(scope.one_plan(), async |conn: &Conn| {
            let user = async {
                match scope.tenant() {
                    Some(tenant) => users::find(conn, Some(tenant), id).await,
                    None => users::find_admin(conn, id).await,
                }
            };
            try_join(user, users::tenant_name_of_user(conn, id)).await
        })
        .await?;
    if user.deleted_at.is_some() {
        return Err(Error::not_found());
    }
    Ok(Profile { user, tenant_name })
}

/// Creates a LISTENER in the ADMIN's own tenant, or an ADMIN in the tenant that a SUPER_ADMIN names. The user is
/// unverified and is sent a verification code.
pub(crate) async fn create(app: &App, caller: &Caller, new: &NewUser) -> Result<Once<Profile>, Error> {
    let (tenant, role) = place(app, caller, new).await?;
    let mut faults = Faults::default();
    let person = new.person.check(&mut faults);
    if let Some(password) = &new.password {
        faults.check("password", passwords::check_new(password, &person));
    }
    faults.finish()?;
    limits::charge_invitation(app, tenant).await?;
    let password_hash = match &new.password {
        Some(password) => app.hasher.hash(app.hasher.turn(Some(tenant))?, password).await?,
        None => "!".to_owned(),
    };
    let now = app.clock.now();
    let user = User {
        id: UserId::new().0,
        tenant_id: Some(tenant.0),
        role: role.name().to_owned(),
        username_norm: compared(&person.username),
        username: person.username,
        email_norm: compared(&person.email),
        email: person.email,
        first_name: person.first_name,
        last_name: person.last_name,
        phone_no: person.phone_no,
        password_hash,
        is_verified: false,
        is_active: true,
        totp_enabled: false,
        token_version: 1,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
        deleted_by: None,
    };
    let created = app
        .pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let mut key = IdempotencyKey::claim(conn, caller, "users.create").await?;
            if let Some(earlier) = key.replay()? {
                return Ok(earlier);
            }
            users::insert(conn, &user).await?;
            store::tenants::add_user_count(conn, tenant, 1).await?;
            let to = Addressee {
                tenant: user.tenant_id,
                user: Some(user.id),
                registration: None,
                email: user.email.clone(),
                email_norm: user.email_norm.clone(),
            };
            challenges::open(conn, app, Purpose::Verify, &to, &caller.request_id).await?;
            let event = audit::Event {
                tenant: user.tenant_id,
                actor: None,
                action: "user_create",
                target: Some(user.id),
                result: "success",
            };
            audit::record(conn, app, caller, event).await?;
            let tenant_name = users::tenant_name(conn, user.tenant_id).await?;
            key.keep(conn, now, Profile { user: user.clone(), tenant_name }).await
        })
        .await?;
    app.wake.wake();
    Ok(created)
}

/// The tenant and the role of a new user.
async fn place(app: &App, caller: &Caller, new: &NewUser) -> Result<(TenantId, Role), Error> {
    let asked =
        new.role.as_deref().map(|name| Role::of_name(name).ok_or_else(|| Error::invalid("role", "Unknown role.")));
    let asked = asked.transpose()?;
    if let Ok((_, tenant)) = caller.admin() {
        let other = new.tenant.as_ref().is_some_and(|asked| TenantId::parse(asked).ok() != Some(tenant));
        return match asked {
            None | Some(Role::Listener) if other => Err(Error::read_only("tenant_id")),
            None | Some(Role::Listener) => Ok((tenant, Role::Listener)),
            Some(_) => Err(Error::forbidden()),
        };
    }
    caller.super_admin()?;
    if asked.is_some_and(|role| role != Role::Admin) {
        return Err(Error::forbidden());
    }
    let Some(tenant) = &new.tenant else { return Err(Error::invalid("tenant_id", "This field is required.")) };
    let id = TenantId::parse(tenant)?;
    app.pg.transaction(Scope::Platform, async |conn: &mut Conn| store::tenants::find(conn, id).await).await?;
    Ok((id, Role::Admin))
}

/// A user's name and address, which other services show with the user's id.
pub(crate) struct Described {
    pub id: Uuid,
    pub name: String,
    pub email: String,
}

/// Describes users of a tenant to another service; unknown ids are left out.
pub(crate) async fn describe(
    app: &App,
    caller: &Caller,
    tenant: &str,
    ids: &[String],
) -> Result<Vec<Described>, Error> {
    caller.service()?;
    let tenant = TenantId::parse(tenant)?;
    let ids: Vec<Uuid> = ids.iter().take(MAX_DESCRIBED).filter_map(|id| Uuid::try_parse(id).ok()).collect();
    let found = app
        .pg
        .read(Scope::Tenant(tenant).one_plan(), async |conn: &Conn| users::find_many(conn, tenant, &ids).await)
        .await?;
    Ok(found.into_iter().map(|user| Described { id: user.id, name: user.display_name(), email: user.email }).collect())
}
