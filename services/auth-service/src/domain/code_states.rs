//! The life of a challenge and its codes as a pure function: what may be mailed, guessed and accepted, given what is stored.
//! `challenges.rs` loads the state under a lock, asks here and stores the answer.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::store::challenges::CodeState;

/// The most guesses per challenge.
pub(crate) const MAX_ATTEMPTS: i32 = 5;
/// The most codes that may be asked for per challenge.
pub(crate) const MAX_SENDS: i32 = 5;

/// What happens to a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Another code is asked for; `spacing` must have passed since the last time.
    CodeRequested { spacing: Duration },
    /// A code is about to be mailed.
    MailStarted,
    /// The mail server did not take the mail that `MailStarted` began. `first`: nobody has another code.
    MailFailed { first: bool },
    /// Somebody sends a code, which is not yet compared. Before the first mail it counts too: nobody can tell a challenge
    /// whose mail is late from one of nobody.
    Guessed,
    /// The code was right and the action that it allows is done.
    Accepted,
}

/// Why an event changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Used, expired, or without a guess or a code left.
    Over,
    /// Another code may be asked for after this time.
    Early(Duration),
}

/// The state after an event.
///
/// # Errors
/// `Refused` when the event is not possible in this state; the state stays what it was.
pub(crate) fn apply(state: &CodeState, event: Event, now: DateTime<Utc>) -> Result<CodeState, Refused> {
    let next = state.clone();
    match event {
        _ if state.consumed_at.is_some() => Err(Refused::Over),
        Event::Accepted => Ok(CodeState { consumed_at: Some(now), ..next }),
        Event::MailFailed { first } => Ok(CodeState { expires_at: state.expires_at.filter(|_| !first), ..next }),
        _ if state.expires_at.is_some_and(|end| end <= now) => Err(Refused::Over),
        // Without a guess left there are no more mails either: their codes could not be tried.
        _ if state.attempts >= MAX_ATTEMPTS => Err(Refused::Over),
        // The life begins with the first mail and no later one extends it.
        Event::MailStarted => Ok(CodeState { expires_at: state.expires_at.or(Some(now + ttl(state))), ..next }),
        Event::Guessed => Ok(CodeState { attempts: state.attempts + 1, ..next }),
        Event::CodeRequested { .. } if state.sends >= MAX_SENDS => Err(Refused::Over),
        Event::CodeRequested { spacing } => match left_of(spacing, state.last_sent_at, now) {
            Duration::ZERO => Ok(CodeState { sends: state.sends + 1, last_sent_at: Some(now), ..next }),
            wait => Err(Refused::Early(wait)),
        },
    }
}

/// True while a guess may be evaluated.
pub(crate) fn is_open(state: &CodeState, now: DateTime<Utc>) -> bool {
    apply(state, Event::Guessed, now).is_ok()
}

/// True while another code may be asked for, now or later, of a challenge that was opened at `opened`. A mail that is late
/// extends the life of its code and not this time: a challenge of nobody has no mail that could be late.
pub(crate) fn may_send(state: &CodeState, opened: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now < opened + ttl(state) && apply(state, Event::CodeRequested { spacing: Duration::ZERO }, now).is_ok()
}

/// How much of the time between two codes is left.
fn left_of(spacing: Duration, last: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Duration {
    let passed = last.map_or(spacing, |at| (now - at).to_std().unwrap_or_default());
    spacing.saturating_sub(passed)
}

fn ttl(state: &CodeState) -> chrono::Duration {
    chrono::Duration::seconds(i64::from(state.ttl_secs))
}

#[cfg(test)]
mod tests;
