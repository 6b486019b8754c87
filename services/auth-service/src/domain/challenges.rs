//! Challenges: opened by sign-in, registration or password reset, and mailed by the outbox relay. `code_answers.rs` has what
//! is sent back.

use std::time::Duration;

use kit::caller::Caller;
use kit::error::RatePolicy;
use kit::{Error, Secret};
use kit_pg::{Conn, Scope, TxError};
use serde_json::json;
use uuid::Uuid;

use super::code_states::{self, Event, Refused};
use super::codes;
use crate::App;
use crate::store::challenges::{self, Challenge, CodeState, OneTimeCode};
use crate::store::users::User;

/// The most guesses per address, purpose and day, over all challenges. Each purpose has its own: what anybody may start,
/// such as a password reset, never uses up what a sign-in needs.
pub(super) const MAX_ATTEMPTS_A_DAY: i64 = 100;
/// The most challenges of one purpose that are opened for an address in an hour: each sends a mail.
const MAX_OPENED_AN_HOUR: i64 = 20;
/// The method of challenges that an authenticator answers.
pub(crate) const TOTP: &str = "totp";

/// What a code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Login,
    Verify,
    Reset,
}

impl Purpose {
    /// The name in SQL.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Login => "LOGIN",
            Self::Verify => "VERIFY",
            Self::Reset => "RESET",
        }
    }

    fn life(self, app: &App) -> Duration {
        match self {
            Self::Login => app.lifetimes.login_code,
            Self::Verify | Self::Reset => app.lifetimes.proof_code,
        }
    }
}

/// The user or registration that a challenge belongs to, and the address for its code.
#[derive(Clone, Debug)]
pub(crate) struct Addressee {
    pub tenant: Option<Uuid>,
    pub user: Option<Uuid>,
    pub registration: Option<Uuid>,
    pub email: String,
    pub email_norm: String,
    /// The username that was asked for, or that of the user.
    pub username: String,
}

impl Addressee {
    /// An account, at the address that is stored for it.
    pub(crate) fn of(user: &User) -> Self {
        Self {
            tenant: user.tenant_id,
            user: Some(user.id),
            registration: None,
            email: user.email.clone(),
            email_norm: user.email_norm.clone(),
            username: user.username.clone(),
        }
    }
}

/// Opens a challenge and writes the outbox message that mails its first code.
pub(crate) async fn open(
    conn: &mut Conn,
    app: &App,
    purpose: Purpose,
    to: &Addressee,
    caller: &Caller,
) -> Result<Uuid, TxError> {
    let row = new(app, purpose, to, caller)?;
    challenges::insert(conn, &row).await?;
    request_code(conn, row.id, row.tenant_id, &caller.request_id).await?;
    Ok(row.id)
}

/// Opens a challenge for a sign-in that the user's authenticator finishes; its life begins at once.
pub(crate) async fn open_for_authenticator(
    conn: &mut Conn,
    app: &App,
    to: &Addressee,
    caller: &Caller,
) -> Result<Uuid, TxError> {
    let row = new(app, Purpose::Login, to, caller)?;
    let ends = app.clock.now() + app.lifetimes.login_code;
    let state = CodeState { expires_at: Some(ends), ..row.state };
    let row = Challenge { method: TOTP.to_owned(), state, ..row };
    challenges::insert(conn, &row).await?;
    Ok(row.id)
}

fn new(app: &App, purpose: Purpose, to: &Addressee, caller: &Caller) -> Result<Challenge, Error> {
    let now = app.clock.now();
    Ok(Challenge {
        id: codes::handle()?,
        tenant_id: to.tenant,
        user_id: to.user,
        registration_id: to.registration,
        purpose: purpose.name().to_owned(),
        email: to.email.clone(),
        email_norm: to.email_norm.clone(),
        state: CodeState {
            ttl_secs: i32::try_from(purpose.life(app).as_secs()).unwrap_or(i32::MAX),
            attempts: 0,
            sends: 1,
            last_sent_at: Some(now),
            expires_at: None,
            consumed_at: None,
        },
        created_at: now,
        by_operator: false,
        method: "email".to_owned(),
        username: to.username.clone(),
        place: caller.place().unwrap_or_default(),
    })
}

/// A challenge of nobody: unknown accounts write what known ones write, so that the time of the answer tells nothing. No
/// code is ever made for it. It keeps the address that was `named`, which pays for what is asked of it later.
pub(crate) async fn open_for_nobody(
    conn: &mut Conn,
    app: &App,
    purpose: Purpose,
    tenant: Option<Uuid>,
    named: &str,
    caller: &Caller,
) -> Result<Uuid, TxError> {
    let (email, username) = Default::default();
    let nobody = Addressee { tenant, user: None, registration: None, email, email_norm: named.to_owned(), username };
    open(conn, app, purpose, &nobody, caller).await
}

/// True when so many challenges were opened for an address in the last hour that no more are sent.
pub(crate) async fn too_many(
    conn: &mut Conn,
    app: &App,
    purpose: Purpose,
    whose: (Option<Uuid>, &str),
) -> Result<bool, TxError> {
    let now = app.clock.now();
    let (hour, day) = (now - chrono::Duration::hours(1), now - chrono::Duration::days(1));
    if challenges::opened_for(conn, whose, purpose.name(), hour).await? >= MAX_OPENED_AN_HOUR {
        return Ok(true);
    }
    Ok(purpose != Purpose::Login
        && challenges::attempts_since(conn, whose, purpose.name(), day).await? >= MAX_ATTEMPTS_A_DAY)
}

/// The limit of [`too_many`], as clients are told of it.
pub(crate) fn opened_policy() -> RatePolicy {
    let quota = u32::try_from(MAX_OPENED_AN_HOUR).unwrap_or_default();
    RatePolicy { name: "codes-of-account".to_owned(), quota, window: Duration::from_secs(3_600) }
}

/// Writes the outbox message, which contains the challenge's id only: the code is made when the mail is sent.
async fn request_code(conn: &mut Conn, id: Uuid, tenant: Option<Uuid>, request_id: &str) -> Result<(), TxError> {
    let message = outbox::NewMessage {
        topic: "mail.code",
        tenant_id: tenant,
        aggregate_id: id,
        version: 1,
        payload: json!({}),
        request_id: request_id.to_owned(),
    };
    outbox::emit(conn, message).await
}

/// Sends a new code for an open challenge, without changing its counter of guesses and its expiry. Returns the seconds
/// until another code may be requested.
pub(crate) async fn resend(
    conn: &mut Conn,
    app: &App,
    challenge: &Challenge,
    request_id: &str,
) -> Result<u64, TxError> {
    let (now, spacing) = (app.clock.now(), app.lifetimes.resend_after);
    let next = match code_states::apply(&challenge.state, Event::CodeRequested { spacing }, now) {
        Ok(next) => next,
        Err(Refused::Early(wait)) => return Ok(wait.as_secs().max(1)),
        Err(Refused::Over) => return Ok(spacing.as_secs()),
    };
    challenges::save(conn, challenge.id, &next).await?;
    // While the first mail waits for its server, a second one would only arrive beside it.
    if challenge.state.expires_at.is_some() {
        request_code(conn, challenge.id, challenge.tenant_id, request_id).await?;
    }
    Ok(spacing.as_secs())
}

/// A code to be mailed.
pub(crate) struct Dispatch {
    pub challenge: Challenge,
    pub code: Secret,
    pub ttl: Duration,
    /// The stored code.
    pub code_id: Uuid,
}

/// Makes the code of a challenge for one mail; `None` when the challenge was used or has expired.
///
/// # Errors
/// When the database cannot be reached.
pub(crate) async fn dispatch(app: &App, id: Uuid) -> Result<Option<Dispatch>, Error> {
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            let Some(challenge) = challenges::find_for_update(conn, id).await? else { return Ok(None) };
            let Ok(next) = code_states::apply(&challenge.state, Event::MailStarted, now) else { return Ok(None) };
            challenges::save(conn, id, &next).await?;
            // A challenge of nobody passes through the same states, so that nothing tells the two apart.
            if challenge.email.is_empty() {
                return Ok(None);
            }
            let code = codes::generate()?;
            let (key_id, mac) = app.code_keys.seal(&challenge, &code)?;
            let row = OneTimeCode {
                id: kit::ids::new_v7(),
                challenge_id: id,
                tenant_id: challenge.tenant_id,
                key_id,
                mac,
                created_at: now,
            };
            challenges::insert_code(conn, &row).await?;
            let ttl = next.expires_at.map_or(Duration::ZERO, |end| (end - now).to_std().unwrap_or_default());
            Ok(Some(Dispatch { challenge: Challenge { state: next, ..challenge }, code, ttl, code_id: row.id }))
        })
        .await
}

/// Takes back a code whose mail did not leave, so that those that did leave stay valid and the life of the challenge begins
/// with one of them.
///
/// # Errors
/// When the database cannot be reached.
pub(crate) async fn not_mailed(app: &App, id: Uuid, code: Uuid) -> Result<(), Error> {
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            let Some(challenge) = challenges::find_for_update(conn, id).await? else { return Ok(()) };
            challenges::delete_code(conn, code).await?;
            let first = challenges::codes(conn, id).await?.is_empty();
            match code_states::apply(&challenge.state, Event::MailFailed { first }, now) {
                Ok(next) => challenges::save(conn, id, &next).await,
                Err(_over) => Ok(()),
            }
        })
        .await
}
