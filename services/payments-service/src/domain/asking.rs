//! What Razorpay is asked about a payment, and its answers as facts. No connection of the database is held meanwhile.

use std::collections::BTreeSet;

use chrono::Duration;

use super::state_machine::facts::{Closed, Fact, LinkFact, LinkRank, PaymentFact, PaymentRank, RefundFact, RefundRank};
use super::state_machine::state::PaymentState;
use crate::App;
use crate::razorpay::{GatewayError, GatewayPayment, GatewayRefund, Link, LinkStatus};
use crate::store::payments::Payment;

/// How long a link may take to appear when the answer to its creation was lost.
const APPEARS_WITHIN: Duration = Duration::minutes(10);

/// What Razorpay answers now about a payment, the link last; and the error at which the questions ended.
pub(crate) async fn about(app: &App, row: &Payment, state: &PaymentState) -> (Vec<Fact>, Option<GatewayError>) {
    let mut facts = Vec::new();
    let error = ask(app, row, state, &mut facts).await.err();
    // With the link last, money that has gone back already gives no premium in between.
    facts.reverse();
    (facts, error)
}

async fn ask(app: &App, row: &Payment, state: &PaymentState, facts: &mut Vec<Fact>) -> Result<(), GatewayError> {
    let found = match &state.link {
        Some(link) => Some(app.razorpay.link(&link.id).await?),
        None => app.razorpay.link_by_reference(&row.reference_id).await?,
    };
    let Some(link) = found else {
        if app.clock.now() - row.created_at >= APPEARS_WITHIN {
            facts.push(Fact::Closed { why: Closed::NeverAppeared });
        }
        return Ok(());
    };
    app.crash.point("asking");
    let order = link.order_id.clone().or_else(|| state.link.as_ref().and_then(|known| known.order.clone()));
    facts.push(Fact::Link(link_fact(&link)));
    let payments = match order {
        Some(order) => app.razorpay.payments_of_order(&order).await?,
        // That a link names its order is not documented.
        None => {
            let named = link.payment_ids.iter().chain(state.payments.keys());
            let mut payments = Vec::new();
            for id in named.collect::<BTreeSet<_>>() {
                payments.push(app.razorpay.payment(id).await?);
            }
            payments
        }
    };
    for payment in payments {
        facts.push(Fact::Payment(payment_fact(&payment)));
        let expected =
            state.refunds.values().any(|refund| refund.payment == payment.id) || state.unsent().next().is_some();
        if payment.amount_refunded > 0 || expected {
            let refunds = app.razorpay.refunds_of_payment(&payment.id).await?;
            facts.extend(refunds.iter().filter_map(refund_fact).map(Fact::Refund));
        }
    }
    Ok(())
}

/// The fact in an answer about a link.
pub(crate) fn link_fact(link: &Link) -> LinkFact {
    LinkFact {
        id: link.id.clone(),
        url: link.short_url.clone(),
        order: link.order_id.clone(),
        reference: link.reference_id.clone(),
        amount: link.amount,
        amount_paid: link.amount_paid,
        currency: link.currency.clone(),
        expires_at: link.expires_at,
        rank: match link.status {
            LinkStatus::Created | LinkStatus::Unknown => LinkRank::Created,
            LinkStatus::PartiallyPaid => LinkRank::PartiallyPaid,
            LinkStatus::Cancelled => LinkRank::Cancelled,
            LinkStatus::Expired => LinkRank::Expired,
            LinkStatus::Paid => LinkRank::Paid,
        },
    }
}

fn payment_fact(payment: &GatewayPayment) -> PaymentFact {
    let rank = match payment.status.as_str() {
        // What was refunded was captured. Only `status` is reliable: samples have `captured: true` with other states.
        "captured" | "refunded" => PaymentRank::Captured,
        "authorized" => PaymentRank::Authorized,
        "failed" => PaymentRank::Failed,
        _ => PaymentRank::Created,
    };
    PaymentFact {
        id: payment.id.clone(),
        rank,
        amount: payment.amount,
        currency: payment.currency.clone(),
        fee: payment.fee,
        tax: payment.tax,
    }
}

/// The fact in an answer about a refund, or in an event; nothing when its status is not known.
pub(crate) fn refund_fact(refund: &GatewayRefund) -> Option<RefundFact> {
    let rank = match refund.status.as_str() {
        "pending" | "created" => RefundRank::Pending,
        "failed" => RefundRank::Failed,
        "processed" => RefundRank::Processed,
        _ => return None,
    };
    Some(RefundFact {
        id: refund.id.clone(),
        payment: refund.payment_id.clone(),
        receipt: refund.receipt.clone(),
        amount: refund.amount,
        rank,
    })
}
