//! Challenges: opened by sign-in, registration or password reset, mailed by the outbox relay, answered with a code.

use std::time::Duration;

use chrono::{DateTime, Utc};
use kit::error::Faults;
use kit::{Code, Error, Secret};
use kit_pg::{Conn, Scope, TxError};
use serde_json::json;
use uuid::Uuid;

use super::codes;
use super::identity::given;
use crate::App;
use crate::store::challenges::{self, Challenge, OneTimeCode};

/// The most guesses per challenge.
const MAX_ATTEMPTS: i32 = 5;
/// The most guesses per account and day, over all its challenges.
const MAX_ATTEMPTS_A_DAY: i64 = 100;
/// The most challenges of one purpose that an account may open in an hour.
const MAX_OPENED_AN_HOUR: i64 = 20;
/// The most codes that are sent per challenge.
const MAX_SENDS: i32 = 5;

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
}

/// Opens a challenge and writes the outbox message that mails its first code.
pub(crate) async fn open(
    conn: &mut Conn,
    app: &App,
    purpose: Purpose,
    to: &Addressee,
    request_id: &str,
) -> Result<Uuid, TxError> {
    let row = Challenge {
        id: codes::handle()?,
        tenant_id: to.tenant,
        user_id: to.user,
        registration_id: to.registration,
        purpose: purpose.name().to_owned(),
        email: to.email.clone(),
        email_norm: to.email_norm.clone(),
        ttl_secs: i32::try_from(purpose.life(app).as_secs()).unwrap_or(i32::MAX),
        attempts: 0,
        sends: 0,
        last_sent_at: None,
        expires_at: None,
        consumed_at: None,
        created_at: app.clock.now(),
    };
    challenges::insert(conn, &row).await?;
    request_code(conn, row.id, row.tenant_id, request_id).await?;
    Ok(row.id)
}

/// True when an account has opened so many challenges in the last hour that no more are sent.
pub(crate) async fn too_many(conn: &mut Conn, app: &App, purpose: Purpose, user: Uuid) -> Result<bool, TxError> {
    let since = app.clock.now() - chrono::Duration::hours(1);
    Ok(challenges::opened_since(conn, user, purpose.name(), since).await? >= MAX_OPENED_AN_HOUR)
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
    let now = app.clock.now();
    let spacing = app.lifetimes.resend_after;
    let over = challenge.expires_at.is_some_and(|end| end <= now) || challenge.sends >= MAX_SENDS;
    let waits = challenge
        .last_sent_at
        .map_or(Duration::ZERO, |at| spacing.saturating_sub((now - at).to_std().unwrap_or(Duration::ZERO)));
    // When no code was sent yet, the first outbox message is still pending.
    if over || challenge.consumed_at.is_some() || challenge.sends == 0 || !waits.is_zero() {
        return Ok(waits.as_secs().max(1));
    }
    challenges::requested(conn, challenge.id, now).await?;
    request_code(conn, challenge.id, challenge.tenant_id, request_id).await?;
    Ok(spacing.as_secs())
}

/// A code to be mailed.
pub(crate) struct Dispatch {
    pub email: String,
    pub purpose: String,
    pub code: Secret,
    pub ttl: Duration,
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
            let expires_at = first_end(&challenge, now);
            if challenge.consumed_at.is_some() || expires_at <= now {
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
            challenges::dispatched(conn, id, expires_at, now).await?;
            let ttl = (expires_at - now).to_std().unwrap_or_default();
            Ok(Some(Dispatch { email: challenge.email, purpose: challenge.purpose, code, ttl }))
        })
        .await
}

/// The expiry of a challenge, which the first mail sets.
fn first_end(challenge: &Challenge, now: DateTime<Utc>) -> DateTime<Utc> {
    challenge.expires_at.unwrap_or(now + chrono::Duration::seconds(i64::from(challenge.ttl_secs)))
}

/// Answers challenges with a code. A guess is counted for each of them and committed before the code is compared.
/// Returns the challenge that the code belongs to.
///
/// # Errors
/// `otp_invalid`, whether the code is wrong, expired, used or unknown.
pub(crate) async fn answer(
    app: &App,
    scope: Scope,
    ids: &[Uuid],
    purpose: Purpose,
    code: &str,
) -> Result<Challenge, Error> {
    let now = app.clock.now();
    let code = Secret::new(code.trim());
    let charged = app
        .pg
        .transaction(scope, async |conn: &mut Conn| {
            let mut charged = Vec::new();
            for challenge in challenges::count_attempt(conn, ids, MAX_ATTEMPTS, now).await? {
                let since = now - chrono::Duration::days(1);
                if let Some(user) = challenge.user_id
                    && challenges::attempts_since(conn, user, since).await? > MAX_ATTEMPTS_A_DAY
                {
                    continue;
                }
                let codes = challenges::codes(conn, challenge.id).await?;
                charged.push((challenge, codes));
            }
            Ok(charged)
        })
        .await?;
    charged
        .into_iter()
        .find(|(challenge, codes)| {
            challenge.purpose == purpose.name() && app.code_keys.matches(challenge, codes, &code)
        })
        .map(|(challenge, _)| challenge)
        .ok_or_else(otp_invalid)
}

/// Marks an answered challenge as used, in the transaction of the action that it allows.
///
/// # Errors
/// `otp_invalid` when it was used meanwhile.
pub(crate) async fn consume(conn: &mut Conn, app: &App, challenge: &Challenge) -> Result<(), TxError> {
    if challenges::consume(conn, challenge.id, app.clock.now()).await? { Ok(()) } else { Err(otp_invalid().into()) }
}

/// Refuses an answer without the id of the challenge or without the code.
///
/// # Errors
/// `Invalid` with each missing field.
pub(crate) fn check_proof(challenge: &str, otp: &str) -> Result<(), Error> {
    let mut faults = Faults::default();
    faults.check("challenge_id", given(challenge));
    faults.check("otp", given(otp));
    faults.finish()
}

/// The same error for every reason why a code is wrong.
pub(crate) fn otp_invalid() -> Error {
    Error::new(Code::OtpInvalid)
}
