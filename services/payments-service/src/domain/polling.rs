//! When Razorpay is asked again about a payment: often while something is expected, and less often the longer nothing came. Disputes
//! are told by events only.

use chrono::{DateTime, Duration, Utc};

use super::state_machine::state::PaymentState;
use super::status::Status;
use crate::store::payments::Payment;

/// Razorpay refunds a payment for six months.
const REFUNDABLE: Duration = Duration::days(190);
/// A payment may be authorised three days after its link has expired.
const LATE_AUTHORISATION: Duration = Duration::days(4);

/// When a payment is looked at next; nothing when there is nothing left to learn.
pub(crate) fn next_check(row: &Payment, state: &PaymentState, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let age = now - row.created_at;
    let pause = pause(state, age, row.expires_at.map(|end| now - end))?;
    Some(now + spread(pause, row.id.as_bytes()[15]))
}

fn pause(state: &PaymentState, age: Duration, expired: Option<Duration>) -> Option<Duration> {
    let (minute, hour, day) = (Duration::minutes(1), Duration::hours(1), Duration::days(1));
    if state.unsent().next().is_some() {
        return Some(minute);
    }
    if state.refunds.values().any(|refund| !refund.failed && !refund.processed) {
        return Some(hour);
    }
    match state.status() {
        Status::Created | Status::Pending | Status::Paid if age < hour => Some(Duration::seconds(20)),
        Status::Created | Status::Pending | Status::Paid if age < day => Some(minute * 5),
        Status::Created | Status::Pending | Status::Paid => Some(hour),
        Status::Failed if state.to_cancel() => Some(minute),
        // Razorpay has refused to make the link, or nobody has ever tried to pay it.
        Status::Failed if state.is_refused() => None,
        Status::Failed if state.was_never_tried() && expired.unwrap_or(age) > hour => None,
        Status::Failed if expired.unwrap_or(age) < hour => Some(minute * 5),
        Status::Failed if expired.unwrap_or(age) < LATE_AUTHORISATION => Some(hour),
        Status::Verified | Status::Activated if age < day * 7 => Some(day),
        Status::Verified | Status::Activated if age < REFUNDABLE => Some(day * 7),
        Status::Failed | Status::Verified | Status::Activated | Status::Refunded => None,
    }
}

/// The pause up to a fifth longer or shorter, so that what began together is not asked about together. Twenty seconds stay, because
/// somebody waits.
fn spread(pause: Duration, byte: u8) -> Duration {
    if pause <= Duration::seconds(20) {
        return pause;
    }
    pause * 4 / 5 + pause * i32::from(byte) / 640
}
