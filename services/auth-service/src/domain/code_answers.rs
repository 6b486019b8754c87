//! Answers to challenges: a code, or what an authenticator shows.

use kit::caller::Caller;
use kit::error::Faults;
use kit::ids::UserId;
use kit::{Code, Error, Secret};
use kit_pg::{Conn, Scope, TxError};
use uuid::Uuid;

use super::authenticators::{self, Proof};
use super::challenges::{MAX_ATTEMPTS_A_DAY, Purpose, TOTP};
use super::code_states::{self, Event, MAX_ATTEMPTS};
use super::identity::given;
use super::{audit, limits, notices};
use crate::App;
use crate::mail::Template;
use crate::store::challenges::{self, Challenge, OneTimeCode};
use crate::store::users;

/// The most guesses per address, purpose and day that name no challenge.
const MAX_ADDRESS_GUESSES_A_DAY: i32 = 10;
/// The longest address in bytes: 254 characters.
const MAX_EMAIL_BYTES: usize = 254 * 4;
/// The most open challenges of an address with which such a guess is compared.
const COMPARED: i64 = 10;

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
