use chrono::{DateTime, Utc};
use kit::Error;
use kit::caller::Caller;
use kit_pg::{Conn, TxError};

use super::audit::Event;
use crate::store::payments::{self, Change, Payment};

/// The states of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// The row is written; it is not known yet whether Razorpay has made a link.
    Created,
    /// The link is open.
    Pending,
    /// Not final: money may still arrive.
    Failed,
    /// Razorpay reports it as paid, in a signed event or in an answer.
    Paid,
    /// Link and payment were fetched by id; amount, currency and captured payment agree.
    Verified,
    /// Premium is granted.
    Activated,
    Refunded,
}

impl State {
    const ALL: [Self; 7] =
        [Self::Created, Self::Pending, Self::Failed, Self::Paid, Self::Verified, Self::Activated, Self::Refunded];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Pending => "PENDING",
            Self::Paid => "PAID",
            Self::Verified => "VERIFIED",
            Self::Activated => "ACTIVATED",
            Self::Failed => "FAILED",
            Self::Refunded => "REFUNDED",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// True when a payment in this state may become `next`. States only move forward, except that FAILED becomes PAID
    /// when money arrives.
    pub(crate) fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Created, Self::Pending | Self::Failed)
                | (Self::Pending, Self::Failed)
                | (Self::Created | Self::Pending | Self::Failed, Self::Paid)
                | (Self::Paid, Self::Verified)
                | (Self::Verified, Self::Activated)
                | (Self::Paid | Self::Verified | Self::Activated, Self::Refunded)
        )
    }
}

impl Payment {
    /// The state as a type.
    pub(crate) fn state(&self) -> Result<State, Error> {
        State::of_name(&self.status).ok_or_else(|| Error::internal(anyhow::anyhow!("payment state {}", self.status)))
    }
}

/// Sets a locked payment to `next` and writes its history. Returns false and changes nothing when the transition is not
/// allowed, for example because the payment is in that state already.
pub(crate) async fn advance(
    conn: &mut Conn,
    row: &mut Payment,
    next: State,
    cause: &str,
    now: DateTime<Utc>,
) -> Result<bool, TxError> {
    let state = row.state()?;
    if !state.may_become(next) {
        return Ok(false);
    }
    next.name().clone_into(&mut row.status);
    row.version += 1;
    row.updated_at = now;
    match next {
        State::Paid => row.paid_at = Some(now),
        State::Verified => row.verified_at = Some(now),
        State::Activated => row.activated_at = Some(now),
        State::Created | State::Pending | State::Failed | State::Refunded => {}
    }
    payments::update(conn, row).await?;
    record(conn, row, cause, now).await?;
    Ok(true)
}

/// Writes the current state into the history.
pub(crate) async fn record(conn: &mut Conn, row: &Payment, cause: &str, now: DateTime<Utc>) -> Result<(), TxError> {
    let change = Change {
        id: kit::ids::new_v7(),
        payment_id: row.id,
        tenant_id: row.tenant_id,
        status: row.status.clone(),
        cause: cause.chars().take(200).collect(),
        created_at: now,
    };
    payments::insert_change(conn, &change).await?;
    let action = format!("payment_{}", change.status.to_lowercase());
    let event = Event { result: &change.cause, ..Event::success(Some(row.tenant_id), &action, row.id) };
    ::audit::record_and_send(conn, "payments", &Caller::system("payments"), now, event).await
}

#[cfg(test)]
mod tests {
    use super::State::{self, Activated, Created, Failed, Paid, Pending, Refunded, Verified};

    #[test]
    fn case_15_and_case_16_states_move_forward_only_and_failed_is_not_final() {
        assert!(!Paid.may_become(Failed) && !Activated.may_become(Failed) && !Activated.may_become(Paid));
        assert!(Failed.may_become(Paid) && Pending.may_become(Paid));
        assert!(!Pending.may_become(Activated) && !Paid.may_become(Activated), "never active unverified");
        for from in State::ALL {
            assert!(!from.may_become(from), "a known fact is no change: {from:?}");
            assert!(!Refunded.may_become(from));
        }
        assert!(Created.may_become(Pending) && Verified.may_become(Activated));
    }
}
