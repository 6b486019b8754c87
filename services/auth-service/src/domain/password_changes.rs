use kit::caller::Caller;
use kit::error::Faults;
use kit::{Error, Secret};
use kit_pg::{Conn, Scope, TxError};

use super::identity::Person;
use super::{audit, managed, notices, passwords, reauthentication, sessions};
use crate::App;
use crate::mail::Template;
use crate::store::users::{self, User};

/// Changes the caller's own password. Every session ends, also the one that calls, and a notice is mailed.
///
/// # Errors
/// `validation_error` for a wrong old password and for a new one that may not be; `rate_limited`, `service_busy`.
pub(crate) async fn change(app: &App, caller: &Caller, old: &Secret, new: &Secret) -> Result<(), Error> {
    let (id, realm) = caller.user()?;
    let scope = Scope::of(caller)?;
    let (user, tenant_name) = app
        .pg
        .transaction(scope, async |conn: &mut Conn| {
            let user = users::find(conn, realm, id).await?;
            let tenant_name = users::tenant_name(conn, user.tenant_id).await?;
            Ok((user, tenant_name))
        })
        .await?;
    let mut faults = Faults::default();
    faults.check("new_password", passwords::check_new(new, &Person::of(&user, tenant_name)));
    if old == new {
        faults.add("new_password", "Choose another one than before.");
    }
    faults.finish()?;
    reauthentication::check_password(app, &user, "old_password", old).await?;
    let hash = app.hasher.hash(app.hasher.turn(realm)?, new).await?;
    app.pg
        .transaction(scope, async |conn: &mut Conn| {
            let locked = managed::lock(conn, realm, id, None).await?;
            // Somebody else has changed it meanwhile: the old password is not known to be right any more.
            if locked.password_hash != user.password_hash {
                return Err(Error::new(kit::Code::Conflict).into());
            }
            set(conn, app, caller, &locked, &hash, "password_change").await
        })
        .await?;
    app.wake.wake();
    Ok(())
}

/// Sets a password in the transaction of its cause: every session ends, what waits for a code is void, and the owner is
/// told.
pub(crate) async fn set(
    conn: &mut Conn,
    app: &App,
    caller: &Caller,
    user: &User,
    hash: &str,
    cause: &str,
) -> Result<(), TxError> {
    let now = app.clock.now();
    let ver = users::set_password(conn, user.id, hash, now).await?;
    sessions::end_all(conn, app, caller, user.id, ver, cause).await?;
    crate::store::challenges::void_others(conn, user.tenant_id, user.id, &user.email_norm, now).await?;
    notices::notify(conn, caller, user, Template::PasswordChanged).await?;
    let event = audit::Event {
        tenant: user.tenant_id,
        actor: Some(user.id),
        action: "authn_password_change",
        target: Some(user.id),
        result: "success",
    };
    audit::record(conn, app, caller, event).await
}
