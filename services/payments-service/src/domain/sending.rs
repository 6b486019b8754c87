//! What a payment still wants to be done at Razorpay.

use super::asking::refund_fact;
use super::state_machine::facts::Fact;
use super::state_machine::state::PaymentState;
use crate::App;
use crate::razorpay::{GatewayError, NewRefund};
use crate::store::payments::Payment;

/// Makes the refunds that are wanted and were not answered; returns Razorpay's answers.
pub(super) async fn refunds(app: &App, row: &Payment, state: &PaymentState) -> Vec<Fact> {
    let mut facts = Vec::new();
    for (key, wish) in state.unsent() {
        let new = NewRefund { payment: &wish.payment, amount_minor: wish.amount, key, reference_id: &row.reference_id };
        let answer = app.razorpay.refund(&new).await;
        app.crash.point("refund_sent");
        match answer {
            Ok(refund) => facts.extend(refund_fact(&refund).map(Fact::Refund)),
            Err(error) if is_final(&error) => {
                tracing::error!(alarm = "refund_refused", payment = %row.id, %error, "Razorpay makes no refund");
                app.metrics.event("refund_refused");
                facts.push(Fact::RefundRefused { key: key.clone() });
            }
            Err(error) => tracing::warn!(payment = %row.id, %error, "a refund is sent again later"),
        }
    }
    facts
}

/// True when the same refund will never be made. A conflict means that the first request with this key is still being answered, and
/// an empty balance fills again.
fn is_final(error: &GatewayError) -> bool {
    matches!(error, GatewayError::Refused { status: 400, reason } if !reason.contains("balance"))
}
