//! The state machine of a payment, without database, clock and network. Webhooks, callbacks, polls and operators only feed it
//! facts; what they caused is done by `recording`.

pub(crate) mod facts;
pub(crate) mod postings;
pub(crate) mod state;

use std::collections::BTreeSet;

use self::facts::Fact;
use self::postings::Lines;
use self::state::PaymentState;
use super::status::{Status, path};

/// What has to be done because of a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The next line of the history.
    Move(Status),
    /// An entry of the ledger.
    Post { key: String, lines: Lines },
    /// The tenant gets premium, unless something speaks against it that is not known here: answered by the fact `Granted` or
    /// `Withheld`.
    Grant,
    /// The premium of this payment ends: answered by the fact `Ended`.
    End,
    /// The payer gets a receipt, once for each payment.
    Receipt,
    /// Somebody has to look at it.
    Alarm(Alarm),
}

/// Why somebody has to look at a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alarm {
    /// What was paid is not what was asked for.
    Mismatch,
    /// The facts say that it is in a state that cannot follow.
    Contradiction,
    /// The payer disputes it.
    Disputed,
    /// Money that bought nothing has to go back.
    RefundDue,
}

impl Alarm {
    /// Its name in metrics and logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mismatch => "payment_mismatch",
            Self::Contradiction => "payment_contradiction",
            Self::Disputed => "payment_disputed",
            Self::RefundDue => "payment_refund_due",
        }
    }
}

/// The state with one more fact, and what has to be done because of it. A fact that is known already has no effect, so the same
/// facts lead to the same state in every order and however often each comes.
pub(crate) fn apply(before: &PaymentState, fact: &Fact) -> (PaymentState, Vec<Effect>) {
    let mut state = before.clone();
    state.learn(fact);
    if state == *before {
        return (state, Vec::new());
    }
    let mut effects = Vec::new();
    match path(before.status(), state.status()) {
        Some(path) => effects.extend(path.into_iter().map(Effect::Move)),
        None => effects.push(Effect::Alarm(Alarm::Contradiction)),
    }
    let known: BTreeSet<String> = postings::of(before).into_keys().collect();
    let new = postings::of(&state).into_iter().filter(|(key, _)| !known.contains(key));
    effects.extend(new.map(|(key, lines)| Effect::Post { key, lines }));
    if state.granted && !before.granted {
        effects.push(Effect::Receipt);
    }
    if state.entitled() && !state.held {
        effects.push(Effect::Grant);
    }
    if state.held && !state.entitled() {
        effects.push(Effect::End);
    }
    effects.extend(alarms(before, &state).into_iter().map(Effect::Alarm));
    (state, effects)
}

fn alarms(before: &PaymentState, state: &PaymentState) -> Vec<Alarm> {
    let answered = state.granted || state.withheld.is_some();
    let due = state.due() > before.due() && !state.mismatch() && answered;
    [
        (state.mismatch() && !before.mismatch(), Alarm::Mismatch),
        (state.disputes.len() > before.disputes.len(), Alarm::Disputed),
        (due, Alarm::RefundDue),
    ]
    .into_iter()
    .filter_map(|(raised, alarm)| raised.then_some(alarm))
    .collect()
}

#[cfg(test)]
mod worlds;
