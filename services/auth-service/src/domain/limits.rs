//! Limits of accounts and of networks that cost something: charged here, where an account is known however it was named.
//!
//! What a network is charged for are failures and mails, never successes: the guests of a venue share one address.

use std::time::Duration;

use kit::caller::Caller;
use kit::ids::TenantId;
use kit::{Code, Error};
use kit_redis::Limit;
use ring::digest::{SHA256, digest};
use uuid::Uuid;

use crate::App;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// What somebody wants from an account.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// A sign-in with a password.
    SignIn,
    /// A mail to the address: of a registration, a resend, or a password reset.
    Mail,
}

/// An account as it was named, when there is none; otherwise its id.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Account<'a> {
    Known(Uuid),
    /// The compared form of an e-mail or username.
    Named(&'a str),
}

/// Charges an account. Whoever comes from the same network has a limit of their own, so that a stranger elsewhere does
/// not use up that of the owner; the second limit is that of everybody together.
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
    let limits = match act {
        Act::SignIn => [
            limit(app, &format!("sign-in:{whose}:{network}"), 5, MINUTE),
            limit(app, &format!("sign-in:{whose}"), 100, HOUR),
        ],
        Act::Mail => {
            [limit(app, &format!("mail:{whose}:{network}"), 3, HOUR), limit(app, &format!("mail:{whose}"), 10, HOUR)]
        }
    };
    refuse_after(wait(app, &limits).await)
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
    let limit = limit(app, &format!("failures:{network}"), 30, MINUTE);
    refuse_after(app.redis.peek(&limit).await.unwrap_or(Duration::ZERO))
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

/// True when a notice may be mailed: a recipient and a tenant have a budget over all kinds of notices.
pub(crate) async fn may_notify(app: &App, tenant: Option<Uuid>, email: &str) -> bool {
    let tenant = tenant.map(|id| id.to_string()).unwrap_or_default();
    let limits = [
        limit(app, &format!("notices:{}", hashed(email)), 30, DAY),
        limit(app, &format!("notices-of:{tenant}"), 2_000, DAY),
    ];
    wait(app, &limits).await.is_zero()
}

fn limit(app: &App, key: &str, burst: u32, per: Duration) -> Limit {
    Limit { key: key.to_owned(), burst: burst.saturating_mul(app.rate_factor.max(1)), per }
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

async fn wait(app: &App, limits: &[Limit]) -> Duration {
    match app.redis.check(limits, &[]).await {
        Ok(checked) => checked.wait,
        Err(_down) => app.local_limits.check(limits),
    }
}

fn refuse_after(wait: Duration) -> Result<(), Error> {
    if wait.is_zero() { Ok(()) } else { Err(Error::new(Code::RateLimited).retry_after(wait)) }
}
