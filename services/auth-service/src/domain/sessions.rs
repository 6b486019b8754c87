//! Sessions and their tokens: created at sign-in, rotated by refresh, ended by logout, by the replay of a refresh token
//! or by an administrator.

use chrono::{DateTime, Utc};
use kit::caller::{Actor, Caller, Role};
use kit::ids::{SessionId, TenantId, UserId};
use kit::{Code, Error, Secret};
use kit_pg::{Conn, Scope, TxError};
use kit_redis::Subject;
use tokens::{Claims, TokenKind};
use uuid::Uuid;

use super::rotation::{self, Outcome, Presented};
use super::{audit, limits, notices, revocations};
use crate::App;
use crate::mail::Template;
use crate::store::sessions::{self, RefreshRow, SessionRow};
use crate::store::tenants;
use crate::store::users::{self, User};

/// The minimum version of a revoked session: tokens of every version are refused.
pub(crate) const EVERY_VERSION: i64 = i64::MAX;

/// An access token and a refresh token.
#[derive(Debug)]
pub(crate) struct TokenPair {
    pub access: Secret,
    pub refresh: Secret,
    pub expires_in: u32,
    pub refresh_expires_in: u32,
}

/// What the tokens of a session claim about its user.
struct Holder {
    user: User,
    /// Version of the tenant, 0 for the platform.
    tver: i64,
}

/// Opens a session for a user who has just authenticated.
pub(crate) async fn open(
    conn: &mut Conn,
    app: &App,
    caller: &Caller,
    user: &User,
    tver: i64,
) -> Result<TokenPair, TxError> {
    let now = app.clock.now();
    let session = SessionRow {
        id: SessionId::new().0,
        tenant_id: user.tenant_id,
        user_id: user.id,
        client_net: caller.client_net.clone(),
        user_agent: caller.user_agent.clone(),
        auth_time: now,
        last_used_at: now,
        expires_at: now + app.lifetimes.session,
        revoked_at: None,
        revoked_cause: None,
    };
    sessions::insert(conn, &session).await?;
    let holder = Holder { user: user.clone(), tver };
    let row = new_refresh(app, &session, &holder, None)?;
    sessions::insert_refresh(conn, &row).await?;
    Ok(sign(app, &session, &row, &holder.user)?)
}

fn new_refresh(app: &App, session: &SessionRow, holder: &Holder, parent: Option<Uuid>) -> Result<RefreshRow, Error> {
    let now = app.clock.now();
    Ok(RefreshRow {
        id: kit::ids::random(),
        tenant_id: session.tenant_id,
        session_id: session.id,
        parent_id: parent,
        kid: app.keychain.active()?.kid,
        access_id: kit::ids::random(),
        ver: holder.user.token_version,
        tver: holder.tver,
        issued_at: now,
        expires_at: (now + app.lifetimes.refresh).min(session.expires_at),
        used_at: None,
    })
}

/// Signs the two tokens of a row. Signing the same row again gives the same tokens.
fn sign(app: &App, session: &SessionRow, row: &RefreshRow, user: &User) -> Result<TokenPair, Error> {
    let key = app
        .keychain
        .by_id(&row.kid)
        .ok_or_else(|| Error::internal(anyhow::anyhow!("signing key {} is gone", row.kid)))?;
    let issued = row.issued_at.timestamp();
    let access_ends = row.issued_at + app.lifetimes.access;
    let claims = Claims {
        iss: String::new(),
        aud: String::new(),
        sub: user.id.to_string(),
        exp: access_ends.timestamp(),
        iat: issued,
        nbf: issued,
        jti: row.access_id,
        sid: SessionId(session.id),
        token_type: String::new(),
        user_id: UserId(user.id),
        role: role_of(user)?,
        tenant_id: user.tenant_id.map(TenantId),
        ver: row.ver,
        tver: row.tver,
        auth_time: session.auth_time.timestamp(),
    };
    let refresh = Claims { exp: row.expires_at.timestamp(), jti: row.id, ..claims.clone() };
    let now = app.clock.now();
    Ok(TokenPair {
        access: Secret::new(app.issuer.sign(&key, TokenKind::Access, claims)?),
        refresh: Secret::new(app.issuer.sign(&key, TokenKind::Refresh, refresh)?),
        expires_in: seconds_until(now, access_ends),
        refresh_expires_in: seconds_until(now, row.expires_at),
    })
}

fn seconds_until(now: DateTime<Utc>, end: DateTime<Utc>) -> u32 {
    u32::try_from((end - now).num_seconds().max(0)).unwrap_or(u32::MAX)
}

pub(crate) fn role_of(user: &User) -> Result<Role, Error> {
    Role::of_name(&user.role).ok_or_else(|| Error::internal(anyhow::anyhow!("unknown role {}", user.role)))
}

enum Refreshed {
    Tokens(TokenPair),
    /// The session was ended, because a token was used again after its successor.
    Reused,
}

/// Rotates a refresh token. The token's row is locked, and one conditional statement marks it as used, so that it can have
/// only one successor.
///
/// # Errors
/// `token_not_valid`; `token_reused` when the token was used before and its successor too, which ends the session.
pub(crate) async fn refresh(app: &App, caller: &Caller, token: &Secret) -> Result<TokenPair, Error> {
    let claims =
        app.refresh_verifier.verify(token.expose(), &app.keychain.public()).map_err(|_refused| token_not_valid())?;
    let scope = Scope::tenant_or_platform(claims.tenant_id);
    // Refreshes of one session wait for each other here, without a connection each.
    let _turn = app.turns.of(&claims.sid.0).await?;
    let outcome = app
        .pg
        .transaction(scope, async |conn: &mut Conn| {
            let stored = sessions::lock_presented(conn, claims.jti).await?;
            let (token, session) = stored.ok_or_else(token_not_valid)?;
            present(conn, app, caller, &claims, &token, &session).await
        })
        .await?;
    match outcome {
        Refreshed::Tokens(pair) => Ok(pair),
        Refreshed::Reused => {
            app.wake.wake();
            Err(Error::new(Code::TokenReused))
        }
    }
}

async fn present(
    conn: &mut Conn,
    app: &App,
    caller: &Caller,
    claims: &Claims,
    token: &RefreshRow,
    session: &SessionRow,
) -> Result<Refreshed, TxError> {
    let holder = holder(conn, claims).await?;
    let successor = match token.used_at {
        Some(_) => sessions::find_successor(conn, token.id).await?,
        None => None,
    };
    let state = rotation::State {
        ended: session.revoked_at.is_some(),
        session_expires_at: session.expires_at,
        expires_at: token.expires_at,
        used_at: token.used_at,
        successor_used: was_used(app, successor.as_ref()).await,
    };
    // A repeated answer is that of the successor, so its versions count.
    let shown = successor.as_ref().unwrap_or(token);
    let current = holder.as_ref().filter(|holder| holder.user.token_version == shown.ver && holder.tver == shown.tver);
    let presented = Presented { at: app.clock.now(), holder_is_current: current.is_some() };
    match (rotation::apply(state, presented).1, current, successor) {
        (Outcome::Rotated, Some(holder), _) => {
            // A repeated answer costs no row and is not charged.
            limits::charge_refresh(app, claims.sid).await?;
            rotate(conn, app, token, session, holder).await
        }
        (Outcome::Repeated, Some(holder), Some(row)) => Ok(Refreshed::Tokens(sign(app, session, &row, &holder.user)?)),
        (Outcome::Reused, ..) => {
            end(conn, app, caller, session, "token_reuse").await?;
            let user = users::find(conn, claims.tenant_id, claims.user_id).await?;
            notices::notify(conn, caller, &user, Template::SessionEnded).await?;
            Ok(Refreshed::Reused)
        }
        _ => Err(token_not_valid().into()),
    }
}

/// True when a refresh token was used, or the access token that came with it.
async fn was_used(app: &App, token: Option<&RefreshRow>) -> bool {
    match token {
        // When Redis has lost the marks, only the use of the refresh token counts.
        Some(row) => row.used_at.is_some() || app.redis.was_used(row.access_id).await.unwrap_or(false),
        None => false,
    }
}

async fn rotate(
    conn: &mut Conn,
    app: &App,
    token: &RefreshRow,
    session: &SessionRow,
    holder: &Holder,
) -> Result<Refreshed, TxError> {
    let now = app.clock.now();
    if !sessions::use_refresh(conn, token.id, now).await? {
        return Err(token_not_valid().into());
    }
    let row = new_refresh(app, session, holder, Some(token.id))?;
    sessions::insert_refresh(conn, &row).await?;
    sessions::touch(conn, session.id, now).await?;
    Ok(Refreshed::Tokens(sign(app, session, &row, &holder.user)?))
}

/// The user of a token; `None` when that user may not be signed in any more.
async fn holder(conn: &mut Conn, claims: &Claims) -> Result<Option<Holder>, TxError> {
    let tver = match claims.tenant_id {
        None => 0,
        Some(id) => match tenants::find(conn, id).await {
            Ok(tenant) if tenant.is_active => tenant.token_version,
            Ok(_inactive) => return Ok(None),
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        },
    };
    let user = match users::find(conn, claims.tenant_id, claims.user_id).await {
        Ok(user) => user,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error),
    };
    let may = user.is_active && user.is_verified && user.deleted_at.is_none() && user.role == claims.role.name();
    Ok(may.then_some(Holder { user, tver }))
}

/// Ends a session in the transaction of its cause.
pub(crate) async fn end(
    conn: &mut Conn,
    app: &App,
    caller: &Caller,
    session: &SessionRow,
    cause: &str,
) -> Result<(), TxError> {
    if sessions::revoke(conn, session.id, cause, app.clock.now()).await? {
        revocations::revoke(conn, caller, Subject::Session(SessionId(session.id)), EVERY_VERSION).await?;
        let event = audit::Event {
            tenant: session.tenant_id,
            actor: Some(session.user_id),
            action: cause,
            target: Some(session.id),
            result: "success",
        };
        audit::record(conn, app, caller, event).await?;
    }
    Ok(())
}

/// Ends every session of a user, whose token version was raised to `ver` in the same transaction.
pub(crate) async fn end_all(
    conn: &mut Conn,
    app: &App,
    caller: &Caller,
    user: Uuid,
    ver: i64,
    cause: &str,
) -> Result<(), TxError> {
    sessions::revoke_all(conn, user, cause, app.clock.now()).await?;
    revocations::revoke(conn, caller, Subject::User(UserId(user)), ver).await
}

/// Ends the caller's own session and no other: the session is that of the access token, whatever refresh token was
/// sent.
pub(crate) async fn logout(app: &App, caller: &Caller) -> Result<(), Error> {
    let session = match &caller.actor {
        Actor::User { session, .. } | Actor::Platform { session, .. } => session.id,
        _ => return Err(Error::forbidden()),
    };
    app.pg
        .transaction(Scope::of(caller)?, async |conn: &mut Conn| {
            let session = sessions::find(conn, session.0).await?;
            end(conn, app, caller, &session, "logout").await
        })
        .await?;
    app.wake.wake();
    Ok(())
}

fn token_not_valid() -> Error {
    Error::new(Code::TokenNotValid)
}
