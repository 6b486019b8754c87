//! Which users an administrator manages: an ADMIN the LISTENERs of the own tenant, a SUPER_ADMIN the ADMINs of all tenants.

use kit::caller::Caller;
use kit::ids::{TenantId, UserId};
use kit::{Code, Error};
use kit_pg::{Conn, Scope, TxError};

use crate::App;
use crate::store::users::{self, User};

/// A user that the caller manages. What is done to the user is done in the scope of the user's tenant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Managed {
    pub id: UserId,
    pub tenant: TenantId,
    /// The administrator.
    pub by: UserId,
}

/// The live or deleted user with this id.
///
/// # Errors
/// `use_users_me` for the caller's own id; `not_found`; `permission_denied` for an ADMIN of the ADMIN's own tenant.
pub(crate) async fn find(app: &App, caller: &Caller, id: &str) -> Result<(Managed, User), Error> {
    let scope = Scope::of(caller)?;
    let by = match scope.tenant() {
        Some(_) => caller.admin()?.0,
        None => caller.super_admin()?,
    };
    let id = UserId::parse(id)?;
    if id == by {
        return Err(Error::new(Code::UseUsersMe));
    }
    let user = app
        .pg
        .read(scope.one_plan(), async |conn: &Conn| match scope.tenant() {
            Some(tenant) => users::find(conn, Some(tenant), id).await,
            None => users::find_admin(conn, id).await,
        })
        .await?;
    let tenant = user.tenant_id.map(TenantId).ok_or_else(Error::not_found)?;
    if scope.tenant().is_some() && user.role != "LISTENER" {
        return Err(if user.deleted_at.is_none() { Error::forbidden() } else { Error::not_found() });
    }
    Ok((Managed { id, tenant, by }, user))
}

/// The same for a live user.
///
/// # Errors
/// As [`find`].
pub(crate) async fn live(app: &App, caller: &Caller, id: &str) -> Result<(Managed, User), Error> {
    let (managed, user) = find(app, caller, id).await?;
    if user.deleted_at.is_some() { Err(Error::not_found()) } else { Ok((managed, user)) }
}

/// Locks a live user until the transaction ends; with `if_version`, only that version of it.
///
/// # Errors
/// `not_found`, `precondition_failed`.
pub(crate) async fn lock(
    conn: &mut Conn,
    realm: Option<TenantId>,
    id: UserId,
    if_version: Option<i64>,
) -> Result<User, TxError> {
    let user = users::find_for_update(conn, realm, id).await?;
    if user.deleted_at.is_some() {
        return Err(Error::not_found().into());
    }
    match if_version {
        Some(version) if version != user.version => Err(Error::new(Code::PreconditionFailed).into()),
        _ => Ok(user),
    }
}
