//! Callers for tests of one service; they are sent as signed assertions, as in production.

use std::net::SocketAddr;
use std::time::Duration;

use kit::assertion::{DEV_PAIRS, KeyRing};
use kit::caller::{Actor, Caller, Idempotency, Role, Session};
use kit::grpc::{Dialer, Peer, Targets};
use kit::ids::{SessionId, TenantId, UserId};
use kit::metrics::Metrics;
use kit::{Clock, Secret};

/// The time that a test's call may take.
const BUDGET: Duration = Duration::from_secs(30);

fn session() -> Session {
    Session { id: SessionId::new(), ver: 1, auth_time: Clock::system().now() }
}

fn with(actor: Actor) -> Caller {
    Caller { actor, ..Caller::system("gateway") }
}

/// A caller who is not signed in.
pub fn anonymous() -> Caller {
    with(Actor::Anonymous)
}

/// A LISTENER of a tenant.
pub fn listener(tenant: TenantId) -> Caller {
    with(Actor::User { id: UserId::new(), tenant, role: Role::Listener, session: session() })
}

/// An ADMIN of a tenant.
pub fn admin(tenant: TenantId) -> Caller {
    with(Actor::User { id: UserId::new(), tenant, role: Role::Admin, session: session() })
}

/// A SUPER_ADMIN.
pub fn super_admin() -> Caller {
    with(Actor::Platform { id: UserId::new(), session: session() })
}

/// The same caller with an idempotency key.
#[must_use]
pub fn repeatable(caller: &Caller, key: &str) -> Caller {
    let idempotency = Idempotency { key: key.to_owned(), request_hash: String::new() };
    Caller { idempotency: Some(idempotency), ..caller.clone() }
}

/// A channel over which the service `from` calls a service under test; only the gateway may assert users.
///
/// # Errors
/// When the development keys have no key for this pair of services.
pub fn peer(from: &str, audience: &'static str, addr: SocketAddr) -> anyhow::Result<Peer> {
    let keys = KeyRing::parse(from, &Secret::new(DEV_PAIRS), Clock::system()).map_err(anyhow::Error::msg)?;
    let targets = Targets::parse(&format!("http://{addr}")).map_err(anyhow::Error::msg)?;
    Ok(Dialer::new(&keys, &Metrics::new()?, &[]).connect(audience, &targets))
}

/// A request of a caller.
pub fn call<T>(caller: &Caller, message: T) -> tonic::Request<T> {
    kit::grpc::call(caller, BUDGET, message)
}
