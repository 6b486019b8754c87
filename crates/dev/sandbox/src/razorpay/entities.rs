//! Links, payments and refunds as Razorpay shows them.

use serde_json::{Value, json};

/// A payment link and what happened to it.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub id: String,
    pub code: String,
    /// `created`, `partially_paid`, `paid`, `cancelled` or `expired`.
    pub status: &'static str,
    pub amount: i64,
    pub currency: String,
    /// The least that may be paid at first, when parts may be paid.
    pub first_part: Option<i64>,
    pub reference_id: String,
    pub description: String,
    pub notes: Value,
    pub expire_by: i64,
    pub callback_url: String,
    pub upi_link: bool,
    pub created_at: i64,
    pub updated_at: i64,
    /// When it was cancelled or expired; 0 before.
    pub cancelled_at: i64,
    pub expired_at: i64,
    /// Razorpay makes the order with the first try to pay.
    pub order_id: Option<String>,
    /// Every try to pay.
    pub payments: Vec<Payment>,
}

/// A try to pay.
#[derive(Clone, Debug)]
pub(super) struct Payment {
    pub id: String,
    /// `created`, `failed`, `authorized` or `captured`.
    pub status: &'static str,
    pub amount: i64,
    pub method: &'static str,
    /// The address of the payer at a bank, for UPI.
    pub vpa: Option<String>,
    /// Why it failed.
    pub reason: Option<&'static str>,
    pub created_at: i64,
}

/// A refund of a payment.
#[derive(Clone, Debug)]
pub(super) struct Refund {
    pub id: String,
    pub payment_id: String,
    pub amount: i64,
    /// `pending`, `processed` or `failed`.
    pub status: &'static str,
    pub receipt: Option<String>,
    pub created_at: i64,
}

/// The fee and the tax in it: 2.36 % and what exceeds 2 %, rounded half up.
pub(super) fn fee(amount: i64) -> (i64, i64) {
    let fee = (amount * 236 + 5_000) / 10_000;
    (fee, fee - (amount * 2 + 50) / 100)
}

impl Refund {
    pub(super) fn entity(&self, currency: &str) -> Value {
        json!({
            "id": self.id, "entity": "refund", "amount": self.amount, "currency": currency, "payment_id": self.payment_id,
            "notes": [], "receipt": self.receipt, "acquirer_data": {}, "created_at": self.created_at, "batch_id": null,
            "status": self.status, "speed_requested": "normal", "speed_processed": "normal",
        })
    }
}

impl Link {
    pub(super) fn paid(&self) -> i64 {
        self.payments.iter().filter(|payment| payment.status == "captured").map(|payment| payment.amount).sum()
    }

    /// Sets the status that follows from the payments; what was cancelled or has expired is paid all the same.
    pub(super) fn count_payments(&mut self) {
        match self.paid() {
            0 => {}
            paid if paid >= self.amount => self.status = "paid",
            _ if self.status == "created" => self.status = "partially_paid",
            _ => {}
        }
    }

    pub(super) fn short_url(&self, base: &str) -> String {
        format!("{base}/i/{}", self.code)
    }

    pub(super) fn entity(&self, base: &str) -> Value {
        let captured = self.payments.iter().filter(|payment| payment.status == "captured");
        let captured: Vec<Value> = captured
            .map(|payment| {
                json!({ "payment_id": payment.id, "plink_id": self.id, "amount": payment.amount, "method": payment.method,
                        "status": "captured", "created_at": payment.created_at })
            })
            .collect();
        json!({
            "accept_partial": self.first_part.is_some(), "amount": self.amount, "amount_paid": self.paid(), "callback_method": "get",
            "callback_url": self.callback_url, "cancelled_at": self.cancelled_at, "created_at": self.created_at,
            "currency": self.currency, "customer": {}, "description": self.description, "expire_by": self.expire_by,
            "expired_at": self.expired_at, "first_min_partial_amount": self.first_part.unwrap_or(0), "id": self.id,
            "notes": self.notes, "notify": { "email": false, "sms": false }, "order_id": self.order_id,
            "payments": if captured.is_empty() { Value::Null } else { json!(captured) },
            "reference_id": self.reference_id, "reminder_enable": false, "reminders": [], "short_url": self.short_url(base),
            "status": self.status, "updated_at": self.updated_at, "upi_link": self.upi_link, "user_id": "",
        })
    }

    pub(super) fn order(&self) -> Value {
        json!({
            "amount": self.amount, "amount_due": self.amount - self.paid(), "amount_paid": self.paid(), "entity": "order",
            "currency": self.currency, "id": self.order_id, "receipt": self.reference_id, "notes": [], "offer_id": null,
            "attempts": self.payments.len(), "status": if self.paid() >= self.amount { "paid" } else { "attempted" },
            "created_at": self.payments.first().map(|payment| payment.created_at),
        })
    }

    /// A payment as it is shown; `refunds` are those of all payments.
    pub(super) fn payment(&self, payment: &Payment, refunds: &[Refund]) -> Value {
        let of_payment = refunds.iter().filter(|refund| refund.payment_id == payment.id && refund.status != "failed");
        let refunded: i64 = of_payment.map(|refund| refund.amount).sum();
        let refund_status = match refunded {
            0 => Value::Null,
            all if all >= payment.amount => json!("full"),
            _ => json!("partial"),
        };
        let captured = payment.status == "captured";
        let known = |value: i64| if captured { json!(value) } else { Value::Null };
        let (fee, tax) = fee(payment.amount);
        json!({
            "id": payment.id, "entity": "payment", "amount": payment.amount, "base_amount": payment.amount, "currency": self.currency,
            "status": if refund_status == "full" { "refunded" } else { payment.status }, "order_id": self.order_id, "invoice_id": null,
            "international": false, "method": payment.method, "amount_refunded": refunded, "refund_status": refund_status,
            "captured": captured, "description": format!("#{}", self.id.trim_start_matches("plink_")), "card_id": null, "bank": null,
            "wallet": null, "vpa": payment.vpa, "email": "payer@example.com", "contact": "+919876543210", "notes": [],
            "fee": known(fee), "tax": known(tax), "error_code": payment.reason.map(|_| "BAD_REQUEST_ERROR"),
            "error_description": payment.reason.map(|_| "The payment failed"), "error_reason": payment.reason,
            "acquirer_data": {}, "created_at": payment.created_at,
        })
    }
}
