//! What a signed event says, and which payment it is about.

use serde_json::Value;

use super::asking::refund_fact;
use super::state_machine::facts::{DisputeFact, DisputeRank, Fact};
use crate::razorpay::{GatewayRefund, number, text};

/// Events that report a payment; for one paid link three of them are sent, each with its own id.
const PAID: [&str; 3] = ["payment_link.paid", "order.paid", "payment.captured"];
/// Other events after which Razorpay is asked.
const LOOKED_AT: [&str; 5] = [
    "payment_link.expired",
    "payment_link.cancelled",
    "payment_link.partially_paid",
    "payment.authorized",
    "payment.failed",
];
const REFUNDS: [&str; 3] = ["refund.created", "refund.processed", "refund.failed"];
const DISPUTES: &str = "payment.dispute.";

/// True for events that are applied; all others are stored only.
pub(crate) fn is_wanted(event: &str) -> bool {
    PAID.contains(&event) || LOOKED_AT.contains(&event) || REFUNDS.contains(&event) || event.starts_with(DISPUTES)
}

/// True for events after which Razorpay is asked also when the payment is settled.
pub(crate) fn is_about_money_back(event: &str) -> bool {
    REFUNDS.contains(&event) || event.starts_with(DISPUTES)
}

/// The facts in an event. Amounts of payments are taken from Razorpay's answers only.
pub(crate) fn of(event: &str, body: &Value) -> Vec<Fact> {
    if PAID.contains(&event) {
        return vec![Fact::Reported];
    }
    if REFUNDS.contains(&event) {
        let refund = body.pointer("/payload/refund/entity").and_then(GatewayRefund::read);
        return refund.as_ref().and_then(refund_fact).map(Fact::Refund).into_iter().collect();
    }
    if event.starts_with(DISPUTES) {
        return body.pointer("/payload/dispute/entity").and_then(dispute_fact).map(Fact::Dispute).into_iter().collect();
    }
    Vec::new()
}

fn dispute_fact(dispute: &Value) -> Option<DisputeFact> {
    let (id, payment) = (text(dispute, "id"), text(dispute, "payment_id"));
    let rank = match text(dispute, "status").as_str() {
        "lost" => DisputeRank::Lost,
        "won" | "closed" => DisputeRank::Won,
        _ => DisputeRank::Open,
    };
    let known = !id.is_empty() && !payment.is_empty();
    known.then(|| DisputeFact { id, payment, amount: number(dispute, "amount"), rank })
}

/// The ids by which an event names a payment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    pub link: Option<String>,
    pub order: Option<String>,
    /// The id of a payment at Razorpay.
    pub payment: Option<String>,
    pub reference: Option<String>,
}

/// The ids in an event. Events `payment.*` contain no link id; their description is `#` and the link's id without its prefix.
pub(crate) fn names(body: &Value) -> Names {
    let text = |pointer: &str| {
        body.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let described =
        text("/payload/payment/entity/description").and_then(|d| Some(format!("plink_{}", d.strip_prefix('#')?)));
    let order = text("/payload/order/entity/id")
        .or_else(|| text("/payload/payment/entity/order_id"))
        .or_else(|| text("/payload/payment_link/entity/order_id"));
    Names {
        link: text("/payload/payment_link/entity/id").or(described),
        order: order.map(|id| if id.starts_with("order_") { id } else { format!("order_{id}") }),
        payment: text("/payload/payment/entity/id")
            .or_else(|| text("/payload/refund/entity/payment_id"))
            .or_else(|| text("/payload/dispute/entity/payment_id")),
        reference: text("/payload/payment_link/entity/reference_id").or_else(|| text("/payload/order/entity/receipt")),
    }
}
