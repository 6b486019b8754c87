//! Sessions as their user sees them: listed, and ended one by one or all others.

use kit::caller::{Actor, Caller, place_of};
use kit::ids::SessionId;
use kit::{Error, Result};
use kit_pg::{Conn, Scope};
use kit_redis::Subject;

use super::{audit, managed, revocations, sessions};
use crate::App;
use crate::store;
use crate::store::sessions::SessionRow;

/// The most sessions that are listed.
const MAX_LISTED: i64 = 100;

/// A session, and whether it is the one that asks.
pub(crate) struct Listed {
    pub session: SessionRow,
    pub is_current: bool,
    /// Where it was opened, roughly.
    pub network: Option<String>,
}

fn current(caller: &Caller) -> Result<SessionId> {
    match &caller.actor {
        Actor::User { session, .. } | Actor::Platform { session, .. } => Ok(session.id),
        _ => Err(Error::forbidden()),
    }
}

/// The caller's live sessions, the one used last first.
pub(crate) async fn list(app: &App, caller: &Caller) -> Result<Vec<Listed>> {
    let ((id, realm), own, now) = (caller.user()?, current(caller)?, app.clock.now());
    let idle = chrono::Duration::from_std(app.lifetimes.refresh).unwrap_or(chrono::Duration::MAX);
    let rows = app
        .pg
        .read(Scope::of(caller)?.one_plan(), async |conn: &Conn| {
            store::sessions::live_of(conn, realm, id.0, now, idle, MAX_LISTED).await
        })
        .await?;
    Ok(rows
        .into_iter()
        .map(|session| Listed {
            is_current: session.id == own.0,
            network: session.client_net.as_deref().and_then(place_of),
            session,
        })
        .collect())
}

/// Ends one of the caller's own sessions; one that was ended before is unknown.
///
/// # Errors
/// `not_found`.
pub(crate) async fn end(app: &App, caller: &Caller, id: &str) -> Result<()> {
    let ((user, realm), id) = (caller.user()?, SessionId::parse(id)?);
    app.pg
        .transaction(Scope::of(caller)?, async |conn: &mut Conn| {
            let session = store::sessions::find(conn, id.0).await?;
            let own = session.user_id == user.0 && session.tenant_id == realm.map(|tenant| tenant.0);
            if !own || session.revoked_at.is_some() || session.expires_at <= app.clock.now() {
                return Err(Error::not_found().into());
            }
            sessions::end(conn, app, caller, &session, "session_end").await
        })
        .await?;
    app.wake.wake();
    Ok(())
}

/// Ends every session of the caller except the one that calls.
pub(crate) async fn end_others(app: &App, caller: &Caller) -> Result<()> {
    let ((user, realm), own, now) = (caller.user()?, current(caller)?, app.clock.now());
    app.pg
        .transaction(Scope::of(caller)?, async |conn: &mut Conn| {
            let ended = store::sessions::revoke_others(conn, realm, user.0, own.0, "session_end", now).await?;
            for id in &ended {
                revocations::revoke(conn, caller, Subject::Session(SessionId(*id)), sessions::EVERY_VERSION).await?;
            }
            let event = audit::Event::success(realm.map(|tenant| tenant.0), "sessions_end_others", user.0);
            audit::record(conn, app, caller, event).await
        })
        .await?;
    app.wake.wake();
    Ok(())
}

/// Ends every session of a user that the caller manages.
pub(crate) async fn end_of_user(app: &App, caller: &Caller, id: &str) -> Result<()> {
    let (found, _) = managed::live(app, caller, id).await?;
    app.pg
        .transaction(Scope::Tenant(found.tenant), async |conn: &mut Conn| {
            let user = managed::lock(conn, Some(found.tenant), found.id, None).await?;
            let ver = user.token_version + 1;
            let change = store::users::Change { token_version: Some(ver), ..store::users::Change::default() };
            store::users::update(conn, user.id, &change, app.clock.now()).await?;
            sessions::end_all(conn, app, caller, user.id, ver, "ended_by_admin").await?;
            audit::record(conn, app, caller, audit::Event::success(user.tenant_id, "sessions_end", user.id)).await
        })
        .await?;
    app.wake.wake();
    Ok(())
}
