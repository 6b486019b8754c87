//! Limits of accounts and of networks that cost something: charged here, where an account is known however it was named.
//!
//! What a network is charged for are failures and mails, never successes: the guests of a venue share one address.

use std::time::Duration;

use kit::caller::Caller;
use kit::error::RatePolicy;
use kit::ids::{SessionId, TenantId};
use kit::{Code, Error};
use kit_redis::{Limit, Wait};
use ring::digest::{SHA256, digest};
use uuid::Uuid;

use crate::App;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// What somebody wants from an account.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// A mail that verifies the address: of a registration or a resend.
    Verification,
    /// A mail with a reset code. Its limit is apart: the key of an unknown account is its name, and a limit that both used
    /// would show whether the account exists.
    Reset,
}

/// An account as it was named, when there is none; otherwise its id.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Account<'a> {
    Known(Uuid),
    /// The compared form of an e-mail or username.
    Named(&'a str),
}

/// Charges a mail to an account. Whoever comes from the same network has a limit of their own, so that a stranger elsewhere
/// does not use up that of the owner; the second limit is that of everybody together, and the last one that of the network
/// over both acts.
///
/// # Errors
/// `rate_limited`, the same whether the account exists or not.
pub(crate) async fn charge(
    app: &App,
    caller: &Caller,
    act: Act,
    tenant: Option<TenantId>,
    account: Account<'_>,
) -> Result<(), Error> {
    let whose = key(tenant, account);
    let network = caller.client_net.as_deref().unwrap_or("unknown");
    let (name, shared) = match act {
        Act::Verification => ("verification", "verification-account"),
        Act::Reset => ("reset", "reset-account"),
    };
    let limits = [
        limit(app, &format!("{name}:{whose}:{network}"), 3, HOUR),
        limit(app, &format!("{shared}:{whose}"), 10, HOUR),
        limit(app, &format!("code-mails:{network}"), 300, HOUR),
    ];
    refuse_after(wait(app, &limits).await, &limits)
}

/// Charges a sign-in to the account and the network that it comes from. From a network from which the account was never
/// signed in, it is also charged to what the account has for wrong passwords, before the password is compared: many at once
/// get no further than one after the other. The owner on a known network is not held to the failures of others, so that
/// strangers cannot lock the owner out.
///
/// # Errors
/// `rate_limited`, the same whether the account exists or not.
pub(crate) async fn charge_sign_in(
    app: &App,
    caller: &Caller,
    tenant: Option<TenantId>,
    account: Account<'_>,
    is_known_network: bool,
) -> Result<(), Error> {
    let network = caller.client_net.as_deref().unwrap_or("unknown");
    let (attempts, window) = (app.limits.login_attempts, app.limits.login_window);
    let own = limit(app, &format!("sign-in:{}:{network}", key(tenant, account)), attempts, window);
    let own = [own];
    refuse_after(wait(app, &own).await, &own)?;
    if is_known_network {
        return Ok(());
    }
    let failures = [failures_of(app, tenant, account)];
    refuse_after(wait(app, &failures).await, &failures)
}

/// Charges a wrong password to the network that it came from, and to the account unless [`charge_sign_in`] has done so.
pub(crate) async fn charge_wrong_password(
    app: &App,
    caller: &Caller,
    tenant: Option<TenantId>,
    account: Account<'_>,
    is_known_network: bool,
) {
    if is_known_network {
        wait(app, &[failures_of(app, tenant, account)]).await;
    }
    charge_failure(app, caller).await;
}

fn failures_of(app: &App, tenant: Option<TenantId>, account: Account<'_>) -> Limit {
    limit(app, &format!("wrong-passwords:{}", key(tenant, account)), 100, HOUR)
}

/// Charges a failure to the network that it came from.
pub(crate) async fn charge_failure(app: &App, caller: &Caller) {
    let Some(network) = caller.client_net.as_deref() else { return };
    wait(app, &[limit(app, &format!("failures:{network}"), 30, MINUTE)]).await;
}

/// Refuses when the network has had too many failures.
///
/// # Errors
/// `rate_limited`.
pub(crate) async fn check_failures(app: &App, caller: &Caller) -> Result<(), Error> {
    let Some(network) = caller.client_net.as_deref() else { return Ok(()) };
    let failures = limit(app, &format!("failures:{network}"), 30, MINUTE);
    refuse_after(look(app, &failures).await, &[failures])
}

/// How long the next request would have to wait. While Redis is away every request is charged instead of every failure:
/// the local limiter cannot look without charging.
async fn look(app: &App, limit: &Limit) -> Wait {
    match app.redis.peek(limit).await {
        Ok(time) => Wait { time, by: 0 },
        Err(_down) => app.local_limits.check(std::slice::from_ref(limit)),
    }
}

/// Charges a renewal of a session.
///
/// # Errors
/// `rate_limited`.
pub(crate) async fn charge_refresh(app: &App, session: SessionId) -> Result<(), Error> {
    let limits = [limit(app, &format!("refresh:{session}"), 30, MINUTE)];
    refuse_after(wait(app, &limits).await, &limits)
}

/// Charges users that an administrator invites: each is sent a mail.
///
/// # Errors
/// `quota_exceeded`.
pub(crate) async fn charge_invitation(app: &App, tenant: TenantId) -> Result<(), Error> {
    let limits = [limit(app, &format!("invitations:{tenant}"), 200, DAY)];
    if wait(app, &limits).await.is_zero() {
        return Ok(());
    }
    Err(Error::new(Code::QuotaExceeded).message("200 invitations a day are the most. Please go on tomorrow."))
}

/// Charges a password that a signed-in user sends, so that a stolen token does not help to guess it.
///
/// # Errors
/// `rate_limited`.
pub(crate) async fn charge_own_password(app: &App, user: Uuid) -> Result<(), Error> {
    let limits = [limit(app, &format!("own-password:{user}"), 10, HOUR)];
    refuse_after(wait(app, &limits).await, &limits)
}

/// Charges a code with which a signed-in user confirms an authenticator.
///
/// # Errors
/// `rate_limited`.
pub(crate) async fn charge_own_code(app: &App, user: Uuid) -> Result<(), Error> {
    let limits = [limit(app, &format!("own-code:{user}"), 10, HOUR)];
    refuse_after(wait(app, &limits).await, &limits)
}

/// True when a notice may be mailed: a recipient within a tenant, and a tenant, have a budget over all kinds of notices
/// that others cause.
pub(crate) async fn may_notify(app: &App, tenant: Option<Uuid>, email: &str) -> bool {
    let tenant = tenant.map(|id| id.to_string()).unwrap_or_default();
    let limits = [
        limit(app, &format!("notices:{}", hashed(&format!("{tenant}|{email}"))), 30, DAY),
        limit(app, &format!("notices-of:{tenant}"), 2_000, DAY),
    ];
    wait(app, &limits).await.is_zero()
}

/// True when a code may be mailed that anybody can ask for: an organisation has a budget of them, charged for mails that leave.
pub(crate) async fn may_mail_code(app: &App, tenant: Option<Uuid>) -> bool {
    let tenant = tenant.map(|id| id.to_string()).unwrap_or_default();
    wait(app, &[limit(app, &format!("code-mails-of:{tenant}"), 2_000, HOUR)]).await.is_zero()
}

fn limit(app: &App, key: &str, burst: u32, per: Duration) -> Limit {
    Limit { key: key.to_owned(), burst: burst.saturating_mul(app.limits.factor), per }
}

/// Keys contain no e-mail.
fn key(tenant: Option<TenantId>, account: Account<'_>) -> String {
    match account {
        Account::Known(id) => id.to_string(),
        Account::Named(name) => {
            let tenant = tenant.map(|id| id.to_string()).unwrap_or_default();
            hashed(&format!("{tenant}|{name}"))
        }
    }
}

fn hashed(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()).as_ref().get(..16).unwrap_or_default())
}

async fn wait(app: &App, limits: &[Limit]) -> Wait {
    match app.redis.check(limits, &[]).await {
        Ok(checked) => checked.wait,
        Err(_down) => app.local_limits.check(limits),
    }
}

fn refuse_after(wait: Wait, limits: &[Limit]) -> Result<(), Error> {
    if wait.is_zero() {
        return Ok(());
    }
    let policy = |limit: &Limit| RatePolicy {
        name: limit.key.split(':').next().unwrap_or_default().to_owned(),
        quota: limit.burst,
        window: limit.per,
    };
    // Clients are told the limit that refused them first.
    let limits = limits.iter().cycle().skip(wait.by).take(limits.len());
    Err(Error::new(Code::RateLimited).retry_after(wait.time).limited_by(limits.map(policy)))
}
