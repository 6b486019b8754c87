//! Tries to pay, as a payer makes them on the hosted page or a test in the payer's place.

use super::entities::{Link, Payment};
use super::store::{Razorpay, new_id};
use super::webhooks;

/// Why a payment of this amount fails with the test address for failures, as Razorpay's documentation lists them.
fn failure_reason(amount: i64) -> &'static str {
    match amount {
        104 | 106 => "bank_technical_error",
        105 => "payment_timed_out",
        107 => "upi_app_not_available",
        204 => "incorrect_pin",
        205 => "pin_not_set",
        206 => "pin_attempts_exceeded",
        208 | 209 => "transaction_limit_exceeded",
        210 => "transaction_frequency_limit_exceeded",
        212 => "debit_instrument_blocked",
        213 => "beneficiary_account_does_not_exist",
        404 | 405 => "payment_risk_check_failed",
        406 => "duplicate_request",
        407 => "invalid_device",
        _ => "payment_declined",
    }
}

/// What the payer's bank says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Captured,
    Failed,
    /// The bank has not answered; the money may arrive days later.
    Unanswered,
}

/// A try to pay.
#[derive(Clone, Debug)]
pub(super) struct Try {
    pub outcome: Outcome,
    /// All that is left when missing.
    pub amount: Option<i64>,
    pub vpa: Option<String>,
    /// Also a link that is closed: the page was open before.
    pub late: bool,
}

/// Tries to pay a link; the link and the payment then.
///
/// # Errors
/// When the link takes no such payment.
pub(super) fn pay(
    razorpay: &Razorpay,
    is_wanted: impl Fn(&Link) -> bool,
    tried: &Try,
) -> Result<(Link, Payment), String> {
    razorpay.expire();
    let now = razorpay.now();
    let made = {
        let mut state = razorpay.state();
        let link = state.links.iter_mut().find(|link| is_wanted(link)).ok_or("there is no such link")?;
        if !tried.late && !matches!(link.status, "created" | "partially_paid") {
            return Err(format!("this link is {}", link.status));
        }
        let left = link.amount - link.paid();
        let amount = tried.amount.unwrap_or(if left > 0 { left } else { link.amount });
        link.order_id.get_or_insert_with(|| new_id("order_"));
        let (status, reason) = match tried.outcome {
            Outcome::Captured => ("captured", None),
            Outcome::Failed => ("failed", Some(failure_reason(amount))),
            Outcome::Unanswered => ("created", None),
        };
        let vpa = Some(tried.vpa.clone().unwrap_or_else(|| "payer@examplebank".to_owned()));
        let payment = Payment { id: new_id("pay_"), status, amount, method: "upi", vpa, reason, created_at: now };
        link.payments.push(payment.clone());
        link.count_payments();
        link.updated_at = now;
        (link.clone(), payment)
    };
    webhooks::report(razorpay, &made.0, &made.1);
    Ok(made)
}

/// The money of a try that failed or was not answered arrives all the same; false when there is no such try.
pub(super) fn arrive(razorpay: &Razorpay, id: &str) -> bool {
    let made = {
        let now = razorpay.now();
        let mut state = razorpay.state();
        let Some((link, place)) = state.payment_mut(id) else { return false };
        let Some(payment) = link.payments.get_mut(place).filter(|payment| payment.status != "captured") else {
            return false;
        };
        (payment.status, payment.reason) = ("captured", None);
        let payment = payment.clone();
        link.count_payments();
        link.updated_at = now;
        (link.clone(), payment)
    };
    webhooks::report(razorpay, &made.0, &made.1);
    true
}
