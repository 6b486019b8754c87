//! Razorpay's answers, parsed leniently. Where objects and numbers are documented, fields may be missing, null, empty
//! arrays or strings, so a strict parser would fail on genuine payloads.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// States of a payment link; `created` and `partially_paid` are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkStatus {
    Created,
    PartiallyPaid,
    Paid,
    Cancelled,
    Expired,
    Unknown,
}

/// A payment link.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub id: String,
    pub status: LinkStatus,
    pub amount: i64,
    pub amount_paid: i64,
    pub currency: String,
    pub reference_id: String,
    pub short_url: String,
    /// Razorpay makes the order with the first try to pay.
    pub order_id: Option<String>,
    /// The payments that Razorpay names with the link; it names them late, and sometimes not at all.
    pub payment_ids: Vec<String>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// A payment.
#[derive(Clone, Debug)]
pub(crate) struct GatewayPayment {
    pub id: String,
    pub status: String,
    pub amount: i64,
    pub currency: String,
    /// What Razorpay keeps, with the tax on it.
    pub fee: Option<i64>,
    pub tax: Option<i64>,
    /// Also what is on its way back.
    pub amount_refunded: i64,
}

/// A refund of a payment.
#[derive(Clone, Debug)]
pub(crate) struct GatewayRefund {
    pub id: String,
    pub payment_id: String,
    pub amount: i64,
    pub status: String,
    /// The idempotency key of a refund that this service has asked for.
    pub receipt: Option<String>,
}

pub(crate) fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub(crate) fn number(value: &Value, name: &str) -> i64 {
    maybe_number(value, name).unwrap_or(0)
}

/// A number, also when it stands in a string.
fn maybe_number(value: &Value, name: &str) -> Option<i64> {
    let found = value.get(name)?;
    found.as_i64().or_else(|| found.as_str()?.parse().ok())
}

/// The order id with its prefix, when there is one. Samples show order ids with and without the prefix.
pub(crate) fn order_id(value: &Value) -> Option<String> {
    let id = text(value, "order_id");
    if id.is_empty() {
        return None;
    }
    Some(if id.starts_with("order_") { id } else { format!("order_{id}") })
}

impl Link {
    /// Reads a link; `None` without that which it is compared by: an answer that was cut must not look like another link.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let (id, amount) = (text(value, "id"), maybe_number(value, "amount")?);
        if id.is_empty() || text(value, "currency").is_empty() || text(value, "reference_id").is_empty() {
            return None;
        }
        let status = match text(value, "status").as_str() {
            "created" => LinkStatus::Created,
            "partially_paid" => LinkStatus::PartiallyPaid,
            "paid" => LinkStatus::Paid,
            "cancelled" => LinkStatus::Cancelled,
            "expired" => LinkStatus::Expired,
            _ => LinkStatus::Unknown,
        };
        let expire_by = number(value, "expire_by");
        Some(Self {
            id,
            status,
            amount,
            amount_paid: number(value, "amount_paid"),
            currency: text(value, "currency"),
            reference_id: text(value, "reference_id"),
            short_url: text(value, "short_url"),
            order_id: order_id(value),
            payment_ids: value
                .get("payments")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(|payment| text(payment, "payment_id"))
                .filter(|id| !id.is_empty())
                .collect(),
            expires_at: if expire_by > 0 { DateTime::from_timestamp(expire_by, 0) } else { None },
        })
    }
}

impl GatewayPayment {
    /// Reads a payment; `None` without id, amount or currency.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let (id, amount) = (text(value, "id"), maybe_number(value, "amount")?);
        if id.is_empty() || text(value, "currency").is_empty() {
            return None;
        }
        Some(Self {
            id,
            status: text(value, "status"),
            amount,
            currency: text(value, "currency"),
            fee: maybe_number(value, "fee"),
            tax: maybe_number(value, "tax"),
            amount_refunded: number(value, "amount_refunded"),
        })
    }
}

impl GatewayRefund {
    /// Reads a refund; `None` when it has no id or names no payment.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let (id, payment_id) = (text(value, "id"), text(value, "payment_id"));
        let receipt = Some(text(value, "receipt")).filter(|receipt| !receipt.is_empty());
        let (amount, status) = (number(value, "amount"), text(value, "status"));
        (!id.is_empty() && !payment_id.is_empty()).then_some(Self { id, payment_id, amount, status, receipt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn case_64_genuine_oddities_are_read() {
        let odd = json!({
            "id": "plink_SimLink0000001", "status": "surprise", "amount": 99_900, "currency": "INR", "reference_id": "sl-1", "notes": [], "payments": null,
            "reminders": [], "upi_link": "true", "order_id": null, "expire_by": 0, "customer": {}, "new_field": 1,
        });
        let link = Link::read(&odd).unwrap();
        assert_eq!((link.status, link.order_id, link.expires_at), (LinkStatus::Unknown, None, None));
        assert_eq!(order_id(&json!({ "order_id": "SimOrder000001" })).as_deref(), Some("order_SimOrder000001"));
        assert!(Link::read(&json!([])).is_none() && GatewayPayment::read(&Value::Null).is_none());
        for part in ["id", "amount", "currency", "reference_id"] {
            let mut cut = odd.clone();
            cut.as_object_mut().unwrap().remove(part);
            assert!(Link::read(&cut).is_none(), "an answer without {part} is none");
        }
        let in_texts = json!({ "id": "pay_1", "amount": "99900", "currency": "INR", "fee": "2358", "tax": null });
        let payment = GatewayPayment::read(&in_texts).unwrap();
        assert_eq!((payment.amount, payment.fee, payment.tax), (99_900, Some(2_358), None));
    }
}
