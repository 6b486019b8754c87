//! What can be known about a payment. Facts are kept as JSON in the order in which they were learnt.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Something that is known about a payment, in whatever order it was learnt. All amounts are in minor units (paise).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Fact {
    /// Razorpay's answer about the link: to its creation, or to a question by reference or id.
    Link(LinkFact),
    /// This service has given the link up.
    Closed { why: Closed },
    /// A signed event says that the link is paid.
    Reported,
    /// Razorpay's answer about a payment of the link's order.
    Payment(PaymentFact),
    /// Razorpay's answer about a refund, or a signed event.
    Refund(RefundFact),
    /// A signed event about a dispute.
    Dispute(DisputeFact),
    /// Somebody wants money to go back. `key` is the idempotency key and the receipt of the refund at Razorpay.
    RefundWanted { key: String, payment: String, amount: i64 },
    /// Razorpay has refused the refund: nothing was sent.
    RefundRefused { key: String },
    /// Premium was granted for this payment.
    Granted,
    /// Premium is not granted for this payment, whatever was paid.
    Withheld { why: Withheld },
    /// The premium that was granted for this payment has ended.
    Ended,
}

/// A link as Razorpay shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkFact {
    pub id: String,
    pub url: String,
    pub order: Option<String>,
    pub reference: String,
    pub amount: i64,
    pub amount_paid: i64,
    pub currency: String,
    pub expires_at: Option<DateTime<Utc>>,
    pub rank: LinkRank,
}

/// The states of a link; a later one is never followed by an earlier one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LinkRank {
    #[default]
    Created,
    PartiallyPaid,
    Cancelled,
    Expired,
    Paid,
}

/// A payment of the link's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PaymentFact {
    pub id: String,
    pub rank: PaymentRank,
    pub amount: i64,
    pub currency: String,
    /// What Razorpay keeps, with the tax; known when the payment is captured.
    pub fee: Option<i64>,
    pub tax: Option<i64>,
}

/// The states of a payment at Razorpay. One that was refunded was captured; refunds are facts of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaymentRank {
    Created,
    /// Not final: a late authorisation may follow.
    Failed,
    Authorized,
    Captured,
}

/// A refund of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RefundFact {
    pub id: String,
    pub payment: String,
    /// The key of the wish, when this service has asked for the refund.
    pub receipt: Option<String>,
    pub amount: i64,
    pub rank: RefundRank,
}

/// The states of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefundRank {
    Pending,
    Failed,
    Processed,
}

/// A dispute about a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DisputeFact {
    pub id: String,
    pub payment: String,
    pub amount: i64,
    pub rank: DisputeRank,
}

/// The states of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DisputeRank {
    Open,
    Won,
    Lost,
}

/// Why a link was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Closed {
    /// Razorpay has refused to make it.
    Refused,
    /// The answer to its creation was lost, and no link appeared.
    NeverAppeared,
    /// The tenant has another link now.
    Superseded,
}

/// Why a payment does not give premium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Withheld {
    /// Another payment has given it.
    AlreadyPremium,
    TenantDeleted,
}
