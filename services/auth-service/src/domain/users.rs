use futures_util::future::try_join;
use kit::caller::{Actor, Caller, Role};
use kit::error::Faults;
use kit::ids::{TenantId, UserId};
use kit::page::{Page, Paged};
use kit::{Code, Error, Secret};
use kit_pg::{Conn, IdempotencyKey, Once, Scope};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::challenges::{self, Addressee, Purpose};
use super::identity::{RawPerson, compared, searchable};
use super::{audit, limits, passwords};
use crate::App;
use crate::store::users::{self, Filter, User};
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
    let (tenant, role, tenant_name) = place(app, caller, new).await?;
    let mut faults = Faults::default();
    let person = new.person.check(&tenant_name, &mut faults);
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
        name_norm: person.search_name(),
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
            let to = Addressee::of(&user);
            challenges::open(conn, app, Purpose::Verify, &to, caller).await?;
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

/// The tenant and the role of a new user, and the tenant's name.
async fn place(app: &App, caller: &Caller, new: &NewUser) -> Result<(TenantId, Role, String), Error> {
    let asked =
        new.role.as_deref().map(|name| Role::of_name(name).ok_or_else(|| Error::invalid("role", "Unknown role.")));
    let asked = asked.transpose()?;
    if let Ok((_, tenant)) = caller.admin() {
        let other = new.tenant.as_ref().is_some_and(|asked| TenantId::parse(asked).ok() != Some(tenant));
        return match asked {
            None | Some(Role::Listener) if other => Err(Error::read_only("tenant_id")),
            None | Some(Role::Listener) => {
                let name = async |conn: &mut Conn| users::tenant_name(conn, Some(tenant.0)).await;
                let name = app.pg.transaction(Scope::Tenant(tenant), name).await?;
                Ok((tenant, Role::Listener, name.unwrap_or_default()))
            }
            Some(_) => Err(Error::forbidden()),
        };
    }
    caller.super_admin()?;
    if asked.is_some_and(|role| role != Role::Admin) {
        return Err(Error::forbidden());
    }
    let Some(tenant) = &new.tenant else { return Err(Error::invalid("tenant_id", "This field is required.")) };
    let id = TenantId::parse(tenant)?;
    let find = async |conn: &mut Conn| store::tenants::find(conn, id).await;
    let name = app.pg.transaction(Scope::Platform, find).await?.name;
    Ok((id, Role::Admin, name))
}

/// The filters of lists of users as they were received.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub names: Vec<String>,
    pub emails: Vec<String>,
    pub roles: Vec<String>,
    pub tenants: Vec<String>,
    pub is_active: Option<bool>,
}

impl Wanted {
    fn check(self) -> Result<Filter, Error> {
        if self.roles.iter().any(|name| !matches!(Role::of_name(name), Some(Role::Listener | Role::Admin))) {
            return Err(Error::invalid("role", "Say LISTENER or ADMIN."));
        }
        Ok(Filter {
            names: self.names.iter().map(|name| searchable(name)).collect(),
            emails: self.emails.iter().map(|email| compared(email)).collect(),
            roles: self.roles,
            is_active: self.is_active,
            // An id that is none belongs to nobody.
            tenants: self.tenants.iter().map(|id| Uuid::try_parse(id).unwrap_or_default()).collect(),
        })
    }
}

/// The live users of the ADMIN's own tenant, the newest first.
pub(crate) async fn list(app: &App, caller: &Caller, wanted: Wanted, page: &Page) -> Result<Paged<Profile>, Error> {
    let (_, tenant) = caller.admin()?;
    let filter = wanted.check()?;
    let (count, rows, name) = app
        .pg
        .read(Scope::Tenant(tenant).search(), async |conn: &Conn| {
            let rows = users::list(conn, tenant, &filter, page);
            let page = kit_pg::page(page, users::count(conn, tenant, &filter), rows);
            let ((count, rows), name) = try_join(page, users::tenant_name(conn, Some(tenant.0))).await?;
            Ok((count, rows, name))
        })
        .await?;
    let rows = rows.into_iter().map(|user| Profile { user, tenant_name: name.clone() }).collect();
    Ok(Paged { rows, count, next_cursor: None })
}

/// How many live users a tenant has.
pub(crate) struct TenantUsers {
    pub tenant: Uuid,
    pub tenant_name: String,
    pub users: i64,
}

/// The number of users of every live tenant: all that the platform is told of LISTENERs.
pub(crate) async fn count(app: &App, caller: &Caller) -> Result<Vec<TenantUsers>, Error> {
    caller.super_admin()?;
    let counts = async |conn: &Conn| store::tenants::user_counts(conn).await;
    let counts = app.pg.read(Scope::Platform.one_plan(), counts).await?;
    Ok(counts.into_iter().map(|(tenant, tenant_name, users)| TenantUsers { tenant, tenant_name, users }).collect())
}

/// An ADMIN, and whether the tenant is active.
pub(crate) struct Admin {
    pub profile: Profile,
    pub tenant_is_active: bool,
}

/// The live ADMINs of every tenant, the newest first.
pub(crate) async fn list_admins(
    app: &App,
    caller: &Caller,
    wanted: Wanted,
    page: &Page,
) -> Result<Paged<Admin>, Error> {
    caller.super_admin()?;
    let filter = wanted.check()?;
    let (count, rows) = app
        .pg
        .read(Scope::Platform.search(), async |conn: &Conn| {
            let rows = users::list_admins(conn, &filter, page);
            kit_pg::page(page, users::count_admins(conn, &filter), rows).await
        })
        .await?;
    let admin = |(user, tenant_name, tenant_is_active): (User, String, bool)| Admin {
        profile: Profile { user, tenant_name: Some(tenant_name) },
        tenant_is_active,
    };
    Ok(Paged { rows: rows.into_iter().map(admin).collect(), count, next_cursor: None })
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
