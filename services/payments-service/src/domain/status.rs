use chrono::{DateTime, Utc};
use kit::Error;
use kit::caller::Caller;
use kit_pg::{Conn, TxError};

use super::audit::Event;
use crate::store::payments::{self, Change, Payment};

/// The status of a payment, as the API shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
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

impl Status {
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
}

/// The statuses through which a payment goes from one to another: none when it stays, nothing at all when it may not. They only
/// move forward, except that FAILED is not final and that other money may arrive after the first went back.
pub(crate) fn path(from: Status, to: Status) -> Option<Vec<Status>> {
    use Status::{Activated, Created, Failed, Paid, Pending, Refunded, Verified};
    let paid = [Paid, Verified, Activated];
    let up_to = |from: Status| paid.into_iter().filter(move |status| from < *status && *status <= to).collect();
    Some(match (from, to) {
        (from, to) if from == to => Vec::new(),
        (Created, Pending) | (Created | Pending, Failed) | (Failed, Pending) => vec![to],
        (Created | Pending | Failed, Refunded) => vec![Paid, Refunded],
        (Created | Pending | Failed | Refunded, Paid | Verified | Activated) => up_to(Created),
        (Paid, Verified | Activated) | (Verified, Activated) => up_to(from),
        (Paid | Verified | Activated, Refunded) => vec![Refunded],
        _ => return None,
    })
}

impl Payment {
    /// The status as a type.
    pub(crate) fn status(&self) -> Result<Status, Error> {
        Status::of_name(&self.status).ok_or_else(|| Error::internal(anyhow::anyhow!("payment status {}", self.status)))
    }
}

/// Sets a locked payment to `to` and writes its history, one line for each status on the way; the row itself is written by the
/// caller. A status that cannot follow changes nothing.
pub(crate) async fn advance(
    conn: &mut Conn,
    row: &mut Payment,
    to: Status,
    cause: &str,
    now: DateTime<Utc>,
) -> Result<(), TxError> {
    for next in path(row.status()?, to).unwrap_or_default() {
        next.name().clone_into(&mut row.status);
        row.version += 1;
        row.updated_at = now;
        match next {
            Status::Paid => row.paid_at = Some(now),
            Status::Verified => row.verified_at = Some(now),
            Status::Activated => row.activated_at = Some(now),
            Status::Refunded => row.refunded_at = Some(now),
            Status::Created | Status::Pending | Status::Failed => {}
        }
        record(conn, row, cause, now).await?;
    }
    Ok(())
}

/// Writes the current status into the history.
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
    use super::Status::{self, Activated, Created, Failed, Paid, Pending, Refunded, Verified};
    use super::path;

    #[test]
    fn case_15_and_case_16_a_status_moves_forward_only_and_failed_is_not_final() {
        let may = |from, to| path(from, to).is_some_and(|steps| !steps.is_empty());
        assert!(!may(Paid, Failed) && !may(Activated, Failed) && !may(Activated, Paid));
        assert_eq!(path(Failed, Activated), Some(vec![Paid, Verified, Activated]), "never active unverified");
        assert_eq!(path(Pending, Refunded), Some(vec![Paid, Refunded]));
        for from in Status::ALL {
            assert_eq!(path(from, from), Some(Vec::new()), "a known fact is no change");
            assert_eq!(may(Refunded, from), [Paid, Verified, Activated].contains(&from), "{from:?}");
        }
        assert!(may(Created, Pending) && may(Verified, Activated) && may(Failed, Pending));
    }
}
