//! What ends an account or changes its second factor needs a fresh sign-in, or the password.

use std::time::Duration;

use kit::caller::{Actor, Caller};
use kit::{Code, Error, Secret};

use super::limits;
use crate::App;
use crate::store::users::User;

/// How old a sign-in may be.
const FRESH: Duration = Duration::from_secs(300);

/// Passes when the caller signed in a short while ago, or sends the right password.
///
/// # Errors
/// `reauthentication_required` without a password; `validation_error` for a wrong one; `rate_limited`.
pub(crate) async fn require(app: &App, caller: &Caller, user: &User, password: Option<&Secret>) -> Result<(), Error> {
    let (Actor::User { session, .. } | Actor::Platform { session, .. }) = &caller.actor else {
        return Err(Error::forbidden());
    };
    match password {
        Some(password) => check_password(app, user, "password", password).await,
        None if (app.clock.now() - session.auth_time).to_std().unwrap_or_default() <= FRESH => Ok(()),
        None => Err(Error::new(Code::ReauthenticationRequired)),
    }
}

/// Compares a password with that of a signed-in user; a wrong one is a fault of `field`.
///
/// # Errors
/// `validation_error`, `rate_limited`, `service_busy`.
pub(crate) async fn check_password(app: &App, user: &User, field: &str, password: &Secret) -> Result<(), Error> {
    limits::charge_own_password(app, user.id).await?;
    let turn = app.hasher.turn(user.tenant_id.map(kit::ids::TenantId))?;
    if app.hasher.verify(turn, password, Some(&user.password_hash)).await? {
        Ok(())
    } else {
        Err(Error::invalid(field, "This is not your password."))
    }
}
