//! Rotation of refresh tokens as a pure function: what a presented token leads to, given what is stored of it. `sessions.rs`
//! loads the state under a lock, asks here and does what the outcome says.

use chrono::{DateTime, Utc};
use tokens::REPLAY_WINDOW;

/// What is stored of a refresh token and its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// The session was ended.
    pub ended: bool,
    pub session_expires_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
    /// True when the successor, or the access token that came with it, was used.
    pub successor_used: bool,
}

/// Somebody presents the token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presented {
    pub at: DateTime<Utc>,
    /// The user may be signed in, with the versions that the token claims.
    pub holder_is_current: bool,
}

/// What a presented token leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It gets its one successor.
    Rotated,
    /// Its answer was lost: it gets the same successor again.
    Repeated,
    /// It was stolen, or its successor was: the session ends.
    Reused,
    Refused,
}

/// The state after a token was presented, and what its client gets.
pub(crate) fn apply(state: State, presented: Presented) -> (State, Outcome) {
    let Presented { at, holder_is_current } = presented;
    if state.ended || state.session_expires_at <= at {
        return (state, Outcome::Refused);
    }
    match state.used_at {
        // The verifier allows a leeway for clocks that differ; the row has the exact expiry.
        None if state.expires_at <= at || !holder_is_current => (state, Outcome::Refused),
        None => (State { used_at: Some(at), ..state }, Outcome::Rotated),
        Some(used_at) if state.successor_used || !is_recent(used_at, at) => {
            (State { ended: true, ..state }, Outcome::Reused)
        }
        Some(_) if holder_is_current => (state, Outcome::Repeated),
        Some(_) => (state, Outcome::Refused),
    }
}

/// True within the window in which a lost answer is asked for again.
fn is_recent(used_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    // Replicas whose clocks differ by less than the window agree: a use in the near future is recent too.
    (now - used_at).abs().to_std().is_ok_and(|age| age <= REPLAY_WINDOW)
}

#[cfg(test)]
mod tests;
