use kit::caller::Caller;
use kit::error::Faults;
use kit::ids::{TenantId, UserId};
use kit::{Code, Error, Secret};
use kit_pg::{Conn, Scope};
use uuid::Uuid;

use super::authenticators::Proof;
use super::challenges::{self, Addressee, Purpose};
use super::code_answers::{self, check_proof, otp_invalid};
use super::identity::{check_identifier, compared, given};
use super::limits::{self, Account};
use super::password_hashes::is_current;
use super::sessions::{self, TokenPair};
use super::users::Profile;
use super::{audit, tenants};
use crate::App;
use crate::store;
use crate::store::users::User;

/// A sign-in that waits for its code.
#[derive(Debug)]
pub(crate) struct Started {
    pub challenge: Uuid,
    /// `email` or `totp`.
    pub method: &'static str,
    pub expires_in: u32,
    pub resend_in: u32,
}

/// How long to wait when an address has been sent too many codes.
const TOO_MANY: std::time::Duration = std::time::Duration::from_secs(600);

/// The first step: the right password opens a challenge and mails its code. Unknown accounts take the same time as
/// known ones.
///
/// # Errors
/// `invalid_credentials`; `email_not_verified` and `account_inactive` only after the right password.
pub(crate) async fn start(
    app: &App,
    caller: &Caller,
    tenant: Option<&str>,
    identifier: &str,
    password: &Secret,
) -> Result<Started, Error> {
    app.hasher.require_room(tenant.and_then(|name| app.tenant_names.get(name)))?;
    let tenant = match tenant {
        Some(text) => Some(tenants::resolve(app, text).await?),
        None => None,
    };
    let mut faults = Faults::default();
    check_identifier(identifier, &mut faults);
    faults.check("password", given(password.expose()));
    faults.finish()?;
    let realm = tenant.as_ref().map(|tenant| TenantId(tenant.id));
    let user = with_password(app, caller, realm, &compared(identifier), password).await?;
    if !user.is_verified {
        return Err(Error::new(Code::EmailNotVerified));
    }
    if !user.is_active {
        return Err(Error::new(Code::AccountInactive));
    }
    rehash_if_old(app, realm, &user, password).await;
    let (challenge, by_authenticator) = open_challenge(app, caller, realm, &user).await?;
    app.wake.wake();
    let seconds = |duration: std::time::Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
    Ok(Started {
        challenge,
        method: if by_authenticator { challenges::TOTP } else { "email" },
        expires_in: seconds(app.lifetimes.login_code),
        resend_in: seconds(app.lifetimes.resend_after),
    })
}

/// The user with this password. Unknown accounts take the same time as known ones.
///
/// # Errors
/// `invalid_credentials`; `rate_limited` and `service_busy` before the password is compared.
async fn with_password(
    app: &App,
    caller: &Caller,
    realm: Option<TenantId>,
    identifier: &str,
    password: &Secret,
) -> Result<User, Error> {
    let (user, known_network) = app
        .pg
        .transaction(Scope::tenant_or_platform(realm), async |conn: &mut Conn| {
            let user = store::users::find_by_identifier(conn, realm, identifier).await?;
            // It is asked for unknown accounts too, so that these take as long.
            let id = user.as_ref().map_or(Uuid::nil(), |user| user.id);
            let network = caller.client_net.as_deref().unwrap_or_default();
            let known_network = store::sessions::came_from(conn, realm, id, network).await?;
            Ok((user, known_network))
        })
        .await?;
    let account = user.as_ref().map_or(Account::Named(identifier), |user| Account::Known(user.id));
    // What is refused without a comparison costs the account nothing.
    limits::check_failures(app, caller).await?;
    let turn = app.hasher.turn(realm)?;
    limits::charge_sign_in(app, caller, realm, account, known_network).await?;
    let right = app.hasher.verify(turn, password, user.as_ref().map(|user| user.password_hash.as_str())).await?;
    let target = user.as_ref().map(|user| user.id);
    let Some(user) = user.filter(|_| right) else {
        let account = target.map_or(Account::Named(identifier), Account::Known);
        limits::charge_wrong_password(app, caller, realm, account, known_network).await;
        failed(app, caller, realm, target).await?;
        return Err(Error::new(Code::InvalidCredentials));
    };
    Ok(user)
}

/// Opens a challenge for a user whose password was right; returns its id, and true when an authenticator answers it.
///
/// # Errors
/// `invalid_credentials` when the password has changed meanwhile; `rate_limited` when the address has been sent too many codes.
async fn open_challenge(
    app: &App,
    caller: &Caller,
    realm: Option<TenantId>,
    user: &User,
) -> Result<(Uuid, bool), Error> {
    app.pg
        .transaction(Scope::tenant_or_platform(realm), async |conn: &mut Conn| {
            // The password may have been changed while this one was compared: it opens nothing then.
            let compared = user.token_version;
            let user = store::users::find_for_update(conn, realm, UserId(user.id)).await?;
            if user.token_version != compared || user.deleted_at.is_some() || !user.is_active {
                return Err(Error::new(Code::InvalidCredentials).into());
            }
            let to = Addressee::of(&user);
            if challenges::too_many(conn, app, Purpose::Login, (to.tenant, &to.email_norm)).await? {
                let refused = Error::new(Code::RateLimited).retry_after(TOO_MANY);
                return Err(refused.limited_by([challenges::opened_policy()]).into());
            }
            let challenge = if user.totp_enabled {
                challenges::open_for_authenticator(conn, app, &to, caller).await?
            } else {
                challenges::open(conn, app, Purpose::Login, &to, caller).await?
            };
            Ok((challenge, user.totp_enabled))
        })
        .await
}

/// Replaces a hash of another kind or of other costs by one as new passwords have. Signing in does not depend on it.
async fn rehash_if_old(app: &App, realm: Option<TenantId>, user: &User, password: &Secret) {
    let old = &user.password_hash;
    if is_current(old) {
        return;
    }
    let replace = async {
        let hash = app.hasher.hash(app.hasher.turn(realm)?, password).await?;
        let rehash = async |conn: &mut Conn| store::users::rehash(conn, realm, user.id, old, &hash).await;
        app.pg.transaction(Scope::tenant_or_platform(realm), rehash).await
    };
    let outcome: Result<(), Error> = replace.await;
    app.metrics.event(if outcome.is_ok() { "password_rehashed" } else { "password_rehash_failed" });
}

async fn failed(app: &App, caller: &Caller, realm: Option<TenantId>, target: Option<Uuid>) -> Result<(), Error> {
    let event = |tenant: Option<TenantId>| audit::Event {
        tenant: tenant.map(|id| id.0),
        actor: None,
        action: "authn_login_fail",
        target,
        result: "invalid_credentials",
    };
    app.pg
        .transaction(Scope::tenant_or_platform(realm), async |conn: &mut Conn| {
            audit::record(conn, app, caller, event(realm)).await
        })
        .await
}

/// The second step: for the code of the challenge it returns tokens.
///
/// # Errors
/// `otp_invalid` for everything that can be wrong with code or challenge; `account_inactive` when the account was
/// deactivated meanwhile.
pub(crate) async fn verify(
    app: &App,
    caller: &Caller,
    tenant: Option<&str>,
    challenge: &str,
    proof: Proof<'_>,
) -> Result<(TokenPair, Profile), Error> {
    let tenant = match tenant {
        Some(text) => Some(tenants::resolve(app, text).await?),
        None => None,
    };
    let realm = tenant.as_ref().map(|tenant| TenantId(tenant.id));
    let scope = Scope::tenant_or_platform(realm);
    let given = match proof {
        Proof::Otp(code) | Proof::Recovery(code) => code,
    };
    check_proof(challenge, given)?;
    limits::check_failures(app, caller).await?;
    let id = Uuid::try_parse(challenge).map_err(|_malformed| otp_invalid())?;
    let answered = code_answers::answer(app, caller, scope, id, Purpose::Login, proof).await?;
    let user_id = UserId(answered.user_id.ok_or_else(otp_invalid)?);
    let tver = tenant.as_ref().map_or(0, |tenant| tenant.token_version);
    app.pg
        .transaction(scope, async |conn: &mut Conn| {
            code_answers::consume(conn, app, &answered).await?;
            let user = store::users::find(conn, realm, user_id).await?;
            if !user.is_active || !user.is_verified || user.deleted_at.is_some() {
                return Err(Error::new(Code::AccountInactive).into());
            }
            // A mailed code of before the app does not go around it.
            if user.totp_enabled && answered.method != challenges::TOTP && !answered.by_operator {
                return Err(otp_invalid().into());
            }
            store::challenges::void_others(conn, user.tenant_id, user.id, &user.email_norm, app.clock.now()).await?;
            let pair = sessions::open(conn, app, caller, &user, tver).await?;
            let event = audit::Event {
                tenant: user.tenant_id,
                actor: Some(user.id),
                action: "authn_login_success",
                target: None,
                result: "success",
            };
            audit::record(conn, app, caller, event).await?;
            let tenant_name = store::users::tenant_name(conn, user.tenant_id).await?;
            Ok((pair, Profile { user, tenant_name }))
        })
        .await
}

/// Sends a new code for a challenge; the answer for an unknown challenge is the same.
pub(crate) async fn resend(app: &App, caller: &Caller, challenge: &str) -> Result<u32, Error> {
    let fallback = app.lifetimes.resend_after.as_secs();
    let Ok(id) = Uuid::try_parse(challenge) else { return Ok(seconds_of(fallback)) };
    let waits = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            match store::challenges::find_for_update(conn, id).await? {
                Some(row) if row.method == challenges::TOTP => Err(Error::new(Code::TotpChallenge).into()),
                Some(row) if row.purpose == Purpose::Login.name() => {
                    challenges::resend(conn, app, &row, &caller.request_id).await
                }
                _ => Ok(fallback),
            }
        })
        .await?;
    app.wake.wake();
    Ok(seconds_of(waits))
}

fn seconds_of(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
