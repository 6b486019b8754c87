//! Challenges: opened by sign-in, registration or password reset, mailed by the outbox relay, answered with a code.

use std::time::Duration;

use kit::caller::Caller;
use kit::error::Faults;
use kit::ids::UserId;
use kit::{Code, Error, Secret};
use kit_pg::{Conn, Scope, TxError};
use serde_json::json;
use uuid::Uuid;

use super::authenticators::{self, Proof};
use super::code_states::{self, Event, MAX_ATTEMPTS, Refused};
use super::codes;
use super::identity::given;
use super::{audit, limits, notices};
use crate::App;
use crate::mail::Template;
use crate::store::challenges::{self, Challenge, CodeState, OneTimeCode};
use crate::store::users;

/// The most guesses per address, purpose and day, over all challenges. Each purpose has its own: what anybody may start,
/// such as a password reset, never uses up what a sign-in needs.
const MAX_ATTEMPTS_A_DAY: i64 = 100;
/// The most guesses per address, purpose and day that name no challenge.
const MAX_ADDRESS_GUESSES_A_DAY: i32 = 10;
/// The longest address in bytes: 254 characters.
const MAX_EMAIL_BYTES: usize = 254 * 4;
/// The most open challenges of an address with which such a guess is compared.
const COMPARED: i64 = 10;
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
    /// No mail of this challenge was on its way before this one.
    pub first: bool,
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
            let first = challenge.state.expires_at.is_none();
            Ok(Some(Dispatch { challenge: Challenge { state: next, ..challenge }, code, ttl, first }))
        })
        .await
}

/// Takes note that the mail of a code did not leave, so that the life of the challenge begins with one that does.
///
/// # Errors
/// When the database cannot be reached.
pub(crate) async fn not_mailed(app: &App, id: Uuid, first: bool) -> Result<(), Error> {
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            let Some(challenge) = challenges::find_for_update(conn, id).await? else { return Ok(()) };
            match code_states::apply(&challenge.state, Event::MailFailed { first }, now) {
                Ok(next) => challenges::save(conn, id, &next).await,
                Err(_over) => Ok(()),
            }
        })
        .await
}

/// Why a code was refused; the client is not told.
#[derive(Clone, Copy, Debug)]
enum Reason {
    Spent,
    OverBudget,
    Wrong,
    WrongForAddress,
}

impl Reason {
    fn text(self) -> &'static str {
        match self {
            Self::Spent => "spent, expired or unknown",
            Self::OverBudget => "the day's guesses are used up",
            Self::Wrong => "wrong code",
            Self::WrongForAddress => "wrong code for an address",
        }
    }
}

/// A guess that was counted.
enum Charged {
    ToCompare(Box<Challenge>, Vec<OneTimeCode>),
    Refused(Reason),
}

/// Answers a challenge with a code. The guess is counted and committed before the code is compared.
///
/// # Errors
/// `otp_invalid`, whether the code is wrong, expired, used or unknown.
pub(crate) async fn answer(
    app: &App,
    caller: &Caller,
    scope: Scope,
    id: Uuid,
    purpose: Purpose,
    proof: Proof<'_>,
) -> Result<Challenge, Error> {
    let now = app.clock.now();
    let charged = app
        .pg
        .transaction(scope, async |conn: &mut Conn| {
            let found = challenges::find_for_update(conn, id).await?;
            let Some(found) = found.filter(|row| row.purpose == purpose.name()) else {
                return Ok(Charged::Refused(Reason::Spent));
            };
            let Ok(next) = code_states::apply(&found.state, Event::Guessed, now) else {
                return Ok(Charged::Refused(Reason::Spent));
            };
            challenges::save(conn, id, &next).await?;
            let challenge = Challenge { state: next, ..found };
            // The other purposes refuse to open more challenges instead: those that a stranger opened must not use up
            // the one of the owner.
            let since = now - chrono::Duration::days(1);
            if purpose == Purpose::Login && !challenge.by_operator {
                let to = (challenge.tenant_id, challenge.email_norm.as_str());
                if challenges::attempts_since(conn, to, purpose.name(), since).await? > MAX_ATTEMPTS_A_DAY {
                    return Ok(Charged::Refused(Reason::OverBudget));
                }
            }
            let codes = challenges::codes(conn, challenge.id).await?;
            Ok(Charged::ToCompare(Box::new(challenge), codes))
        })
        .await?;
    let reason = match charged {
        Charged::ToCompare(challenge, codes) => {
            if is_right(app, scope, &challenge, &codes, proof).await? {
                return Ok(*challenge);
            }
            if challenge.state.attempts == MAX_ATTEMPTS && purpose == Purpose::Login {
                tell_owner(app, caller, scope, &challenge).await?;
            }
            Reason::Wrong
        }
        Charged::Refused(reason) => reason,
    };
    refused(app, caller, scope, purpose, reason).await
}

/// Whoever used up the codes of a sign-in knows the password: the owner is told.
async fn tell_owner(app: &App, caller: &Caller, scope: Scope, challenge: &Challenge) -> Result<(), Error> {
    let Some(id) = challenge.user_id else { return Ok(()) };
    app.pg
        .transaction(scope, async |conn: &mut Conn| {
            let user = users::find(conn, scope.tenant(), UserId(id)).await?;
            notices::notify(conn, caller, &user, Template::SignInAttempts).await
        })
        .await?;
    app.wake.wake();
    Ok(())
}

/// Compares what was sent with what the challenge asks for.
async fn is_right(
    app: &App,
    scope: Scope,
    challenge: &Challenge,
    codes: &[OneTimeCode],
    proof: Proof<'_>,
) -> Result<bool, Error> {
    // Whoever has lost the app is let in by an operator, with a code that the operator was shown.
    if let (TOTP, Some(user), false) = (challenge.method.as_str(), challenge.user_id, challenge.by_operator) {
        let accept = async |conn: &mut Conn| authenticators::accept(conn, app, user, proof).await;
        return app.pg.transaction(scope, accept).await;
    }
    match proof {
        Proof::Otp(code) => Ok(app.code_keys.matches(challenge, codes, &Secret::new(code.trim()))),
        Proof::Recovery(_) => Ok(false),
    }
}

/// Answers whichever open challenge of an address the code belongs to. Clients that know no challenge use this. Such
/// guesses have a small budget of their own and use up nobody's challenge.
///
/// # Errors
/// `otp_invalid`.
pub(crate) async fn answer_for_address(
    app: &App,
    caller: &Caller,
    scope: Scope,
    purpose: Purpose,
    email: &str,
    code: &str,
) -> Result<Challenge, Error> {
    let (now, code) = (app.clock.now(), Secret::new(code.trim()));
    let tenant = scope.tenant().map(|tenant| tenant.0);
    if email.len() > MAX_EMAIL_BYTES {
        return refused(app, caller, scope, purpose, Reason::WrongForAddress).await;
    }
    let charged = app
        .pg
        .transaction(scope, async |conn: &mut Conn| {
            let guesses = challenges::count_address_guess(conn, tenant, purpose.name(), email, now).await?;
            let mut open = Vec::new();
            if guesses > MAX_ADDRESS_GUESSES_A_DAY {
                return Ok(open);
            }
            for challenge in challenges::open_of_address(conn, tenant, email, purpose.name(), COMPARED).await? {
                if code_states::is_open(&challenge.state, now) {
                    let codes = challenges::codes(conn, challenge.id).await?;
                    open.push((challenge, codes));
                }
            }
            Ok(open)
        })
        .await?;
    let found = charged.into_iter().find(|(challenge, codes)| app.code_keys.matches(challenge, codes, &code));
    match found {
        Some((challenge, _)) => Ok(challenge),
        None => refused(app, caller, scope, purpose, Reason::WrongForAddress).await,
    }
}

/// Records a refused code: the answer does not tell the reason, the audit does.
async fn refused<T>(app: &App, caller: &Caller, scope: Scope, purpose: Purpose, reason: Reason) -> Result<T, Error> {
    let reason = reason.text();
    limits::charge_failure(app, caller).await;
    tracing::info!(request_id = caller.request_id, purpose = purpose.name(), reason, "a code was refused");
    let event = || audit::Event {
        tenant: scope.tenant().map(|tenant| tenant.0),
        actor: None,
        action: "authn_code_fail",
        target: None,
        result: reason,
    };
    app.pg.transaction(scope, async |conn: &mut Conn| audit::record(conn, app, caller, event()).await).await?;
    Err(otp_invalid())
}

/// Marks an answered challenge as used, in the transaction of the action that it allows.
///
/// # Errors
/// `otp_invalid` when it was used meanwhile.
pub(crate) async fn consume(conn: &mut Conn, app: &App, challenge: &Challenge) -> Result<(), TxError> {
    let found = challenges::find_for_update(conn, challenge.id).await?.ok_or_else(otp_invalid)?;
    let used = code_states::apply(&found.state, Event::Accepted, app.clock.now()).map_err(|_over| otp_invalid())?;
    challenges::save(conn, challenge.id, &used).await
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
