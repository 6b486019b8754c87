//! Facts about a payment are recorded, and what they cause is done, in one transaction: after a crash either all of it is there or
//! nothing. Nothing outside the database happens here.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use kit::Error;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError};
use uuid::Uuid;

use super::state_machine::facts::{Closed, Fact, LinkFact, LinkRank, PaymentFact, PaymentRank, Withheld};
use super::state_machine::postings;
use super::state_machine::state::{Asked, PaymentState};
use super::state_machine::{Alarm, Effect, apply};
use super::status::{self, Status};
use super::{effects, polling};
use crate::App;
use crate::store::facts::{self, LoggedFact};
use crate::store::payments::{self, Payment};

/// A payment after facts were recorded.
pub(crate) struct Recorded {
    pub row: Payment,
    pub state: PaymentState,
    alarms: Vec<Alarm>,
}

impl Recorded {
    /// Tells the operator what has to be looked at, after the transaction was committed.
    pub(crate) fn raise_alarms(&self, app: &App) {
        for alarm in &self.alarms {
            app.metrics.event(alarm.name());
            tracing::error!(alarm = alarm.name(), payment = %self.row.id, "a payment has to be looked at");
        }
    }
}

/// The state of a payment, from all facts that were recorded.
///
/// # Errors
/// When the database cannot be asked, or a fact cannot be read.
pub(crate) async fn state_of(conn: &Conn, row: &Payment) -> Result<PaymentState, TxError> {
    let mut facts = facts_of(&facts::of_payment(conn, row.id).await?)?;
    if facts.is_empty() {
        facts = facts_of_columns(row)?;
    }
    Ok(fold(row, &facts))
}

fn fold(row: &Payment, facts: &[Fact]) -> PaymentState {
    let asked = Asked { reference: row.reference_id.clone(), amount: row.amount_minor, currency: row.currency.clone() };
    facts.iter().fold(PaymentState::new(asked), |state, fact| apply(&state, fact).0)
}

fn facts_of(logged: &[LoggedFact]) -> Result<Vec<Fact>, TxError> {
    let read = |row: &LoggedFact| serde_json::from_value(row.fact.clone());
    Ok(logged.iter().map(read).collect::<Result<_, _>>().map_err(Error::internal)?)
}

/// Records facts about a payment and does what they cause. The order of `facts` does not matter for the outcome; with the link
/// last, what is known to have gone back already gives no premium in between.
///
/// # Errors
/// When the database cannot be used.
pub(crate) async fn record(
    conn: &mut Conn,
    app: &App,
    payment: Uuid,
    facts: &[Fact],
    cause: &str,
) -> Result<Recorded, TxError> {
    let now = app.clock.now();
    let mut row = payments::find_for_update(conn, payment).await?;
    let before = row.clone();
    let mut log = Log::of(conn, &row, cause, now).await?;
    let (mut waiting, mut alarms): (VecDeque<Fact>, Vec<Alarm>) = (facts.iter().cloned().collect(), Vec::new());
    while let Some(fact) = waiting.pop_front() {
        if reopens(&row, &log.state, &fact)? && has_other_link(conn, &row).await? {
            waiting.push_front(fact);
            waiting.push_front(Fact::Closed { why: Closed::Superseded });
            continue;
        }
        let (next, caused) = apply(&log.state, &fact);
        if next == log.state {
            continue;
        }
        log.append(conn, &row, &fact).await?;
        log.state = next;
        for effect in caused {
            match effect {
                // The history shows where the transaction ends, so it is written below.
                Effect::Move(_) => {}
                Effect::Post { key, lines } => effects::post(conn, &row, &key, &lines, now).await?,
                Effect::Grant => waiting.push_front(effects::grant(conn, &row, now).await?),
                Effect::End => {
                    effects::end(conn, &row, now).await?;
                    waiting.push_front(Fact::Ended);
                }
                Effect::Receipt => effects::issue_receipt(conn, &row, now).await?,
                Effect::Alarm(alarm) => alarms.push(alarm),
            }
        }
    }
    project(&mut row, &log.state);
    status::advance(conn, &mut row, log.state.status(), cause, now).await?;
    row.check_after = polling::next_check(&row, &log.state, now);
    if row.shown() != before.shown() && row.version == before.version {
        row.version += 1;
        row.updated_at = now;
    }
    payments::update(conn, &row).await?;
    Ok(Recorded { row, state: log.state, alarms })
}

/// True when a fact opens a payment again that has FAILED.
fn reopens(row: &Payment, state: &PaymentState, fact: &Fact) -> Result<bool, TxError> {
    Ok(row.status()? == Status::Failed && apply(state, fact).0.status() == Status::Pending)
}

/// True when the tenant has another open link: it has one at most.
async fn has_other_link(conn: &Conn, row: &Payment) -> Result<bool, TxError> {
    let open = payments::find_open(conn, TenantId(row.tenant_id)).await?;
    Ok(open.is_some_and(|open| open.id != row.id))
}

/// The log of a payment's facts.
struct Log<'a> {
    state: PaymentState,
    length: i32,
    cause: &'a str,
    now: DateTime<Utc>,
}

impl<'a> Log<'a> {
    async fn of(conn: &mut Conn, row: &Payment, cause: &'a str, now: DateTime<Utc>) -> Result<Self, TxError> {
        let known = facts_of(&facts::of_payment(conn, row.id).await?)?;
        let length = i32::try_from(known.len()).unwrap_or(i32::MAX);
        let mut log = Log { state: fold(row, &known), length, cause, now };
        if known.is_empty() {
            // A release without this log has written the row.
            for fact in facts_of_columns(row)? {
                log.append(conn, row, &fact).await?;
                log.state = apply(&log.state, &fact).0;
            }
            for (key, lines) in postings::of(&log.state) {
                effects::post(conn, row, &key, &lines, now).await?;
            }
        }
        Ok(log)
    }

    async fn append(&mut self, conn: &mut Conn, row: &Payment, fact: &Fact) -> Result<(), TxError> {
        self.length += 1;
        let logged = LoggedFact {
            payment_id: row.id,
            seq: self.length,
            tenant_id: row.tenant_id,
            fact: serde_json::to_value(fact).map_err(Error::internal)?,
            cause: self.cause.chars().take(200).collect(),
            created_at: self.now,
        };
        facts::append(conn, &logged).await?;
        match fact {
            Fact::Payment(payment) => facts::name(conn, &payment.id, row).await,
            _ => Ok(()),
        }
    }
}

/// What the columns of a payment say that an earlier release has written.
fn facts_of_columns(row: &Payment) -> Result<Vec<Fact>, TxError> {
    let status = row.status()?;
    let mut facts = Vec::new();
    let verified = matches!(status, Status::Verified | Status::Activated);
    if let Some(id) = row.razorpay_payment_id.clone().filter(|_| verified) {
        let (amount, currency) = (row.amount_minor, row.currency.clone());
        let rank = PaymentRank::Captured;
        facts.push(Fact::Payment(PaymentFact { id, rank, amount, currency, fee: None, tax: None }));
    }
    if let Some(id) = row.razorpay_payment_link_id.clone() {
        let rank = match status {
            Status::Failed => LinkRank::Expired,
            _ if verified => LinkRank::Paid,
            _ => LinkRank::Created,
        };
        facts.push(Fact::Link(LinkFact {
            id,
            url: row.payment_link_url.clone().unwrap_or_default(),
            order: row.razorpay_order_id.clone(),
            reference: row.reference_id.clone(),
            amount: row.amount_minor,
            amount_paid: if verified { row.amount_minor } else { 0 },
            currency: row.currency.clone(),
            expires_at: row.expires_at,
            rank,
        }));
    }
    match status {
        Status::Paid => facts.push(Fact::Reported),
        Status::Activated => facts.push(Fact::Granted),
        Status::Failed if row.razorpay_payment_link_id.is_none() => {
            facts.push(Fact::Closed { why: Closed::NeverAppeared });
        }
        _ => {}
    }
    Ok(facts)
}

/// Writes what the API shows of a state into the row.
fn project(row: &mut Payment, state: &PaymentState) {
    if let Some(link) = &state.link {
        row.razorpay_payment_link_id = Some(link.id.clone());
        row.payment_link_url = Some(link.url.clone());
        row.razorpay_order_id.clone_from(&link.order);
        row.expires_at = link.expires_at;
    }
    if let Some(payment) = state.paying() {
        row.razorpay_payment_id = Some(payment.id.clone());
    }
    row.refund_due_minor = state.due();
    row.refunded_minor = state.gone_back();
    let message = match state.withheld {
        Some(Withheld::AlreadyPremium) if state.due() > 0 => "Premium was active already: to be refunded.",
        Some(Withheld::TenantDeleted) if state.due() > 0 => "The organisation was deleted: to be refunded.",
        _ if state.mismatch() => "What was paid is not what was asked for.",
        // Why Razorpay has refused the link stands there.
        _ if matches!(state.status(), Status::Created | Status::Failed) => return,
        _ => "",
    };
    message.clone_into(&mut row.error_message);
}

impl Payment {
    /// What somebody who looks at it can tell apart.
    fn shown(&self) -> impl PartialEq + use<> {
        let ids = (self.razorpay_payment_link_id.clone(), self.razorpay_payment_id.clone());
        (
            self.status.clone(),
            self.error_message.clone(),
            ids,
            self.refund_due_minor,
            self.refunded_minor,
            self.expires_at,
        )
    }
}
