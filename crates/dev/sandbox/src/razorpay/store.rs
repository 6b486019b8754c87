use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kit::Clock;
use serde_json::{Value, json};

/// The letters of Razorpay's ids.
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Keys and addresses of a sandbox.
#[derive(Clone, Debug)]
pub struct RazorpayOptions {
    pub key_id: String,
    pub key_secret: String,
    pub webhook_secret: String,
    /// Where events are sent.
    pub webhook_url: String,
    pub clock: Clock,
}

/// A payment link and what happened to it.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub id: String,
    pub code: String,
    pub status: &'static str,
    pub amount: i64,
    pub currency: String,
    pub reference_id: String,
    pub description: String,
    pub expire_by: i64,
    pub callback_url: String,
    pub created_at: i64,
    pub order_id: Option<String>,
    /// Every try to pay.
    pub payments: Vec<Payment>,
}

/// A try to pay.
#[derive(Clone, Debug)]
pub(super) struct Payment {
    pub id: String,
    pub status: &'static str,
    pub amount: i64,
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

/// The answer that a key of idempotency has got, and for which request.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub key: String,
    pub body: Value,
    pub answer: Value,
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

/// The failures that a test has planned.
#[derive(Clone, Debug, Default)]
pub(super) struct Chaos {
    /// Webhooks are not sent at all.
    pub drop_webhooks: bool,
    /// How many more times each event is sent.
    pub duplicates: u32,
    /// Lists of links are empty: Razorpay's lists lag behind.
    pub hide_links: bool,
    /// By how many seconds this clock is ahead.
    pub skew_secs: i64,
    /// Refunds are not processed at once.
    pub refunds_stay_pending: bool,
    /// Failures that the API answers with instead of its real answers, one per request.
    pub failures: VecDeque<Failure>,
}

#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub status: u16,
    /// When true, the request takes effect and only its answer is lost.
    pub commit: bool,
    /// The code of the error; the usual one when missing.
    pub code: Option<String>,
    /// What `Retry-After` says, in seconds.
    pub retry_after: Option<u64>,
    /// A part of method and path, such as `POST /v1/payment_links`; any request when it is empty.
    pub path: String,
}

#[derive(Default)]
pub(super) struct State {
    pub base: String,
    pub links: Vec<Link>,
    pub refunds: Vec<Refund>,
    /// By keys of idempotency.
    pub answered: Vec<Answered>,
    /// Requests to the API that had the right key.
    pub calls: u64,
    pub chaos: Chaos,
    /// Deliveries tried: the event, and the status of the answer (0: there was none).
    pub deliveries: Vec<(String, u16)>,
}

impl State {
    /// What has gone back of a payment, or is on its way back.
    pub(super) fn refunded(&self, payment: &str) -> i64 {
        let of_payment = self.refunds.iter().filter(|refund| refund.payment_id == payment && refund.status != "failed");
        of_payment.map(|refund| refund.amount).sum()
    }
}

/// The sandbox. Clones share its state.
#[derive(Clone)]
pub struct Razorpay {
    pub(super) options: Arc<RazorpayOptions>,
    state: Arc<Mutex<State>>,
}

impl Razorpay {
    /// An account without any link.
    pub fn new(options: RazorpayOptions) -> Self {
        Self { options: Arc::new(options), state: Arc::default() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_base(&self, base: &str) {
        base.clone_into(&mut self.state().base);
    }

    /// The time by the clock of Razorpay, in Unix seconds.
    pub(super) fn now(&self) -> i64 {
        self.options.clock.now().timestamp() + self.skew()
    }

    /// By how many seconds Razorpay's clock is ahead of that of its clients.
    pub(super) fn skew(&self) -> i64 {
        self.state().chaos.skew_secs
    }

    /// Sets links to expired whose time is over.
    pub(super) fn expire(&self) {
        let now = self.now();
        for link in &mut self.state().links {
            if link.status == "created" && link.expire_by > 0 && link.expire_by <= now {
                link.status = "expired";
            }
        }
    }
}

/// A prefix and fourteen letters and digits.
pub(super) fn new_id(prefix: &str) -> String {
    let bytes = kit::ids::random().into_bytes();
    let letters = bytes.iter().take(14).map(|byte| {
        let letter = ALPHABET.get(usize::from(*byte) % ALPHABET.len());
        char::from(letter.copied().unwrap_or(b'A'))
    });
    format!("{prefix}{}", letters.collect::<String>())
}

impl Link {
    pub(super) fn paid(&self) -> i64 {
        self.payments.iter().filter(|payment| payment.status == "captured").map(|payment| payment.amount).sum()
    }

    pub(super) fn short_url(&self, base: &str) -> String {
        format!("{base}/i/{}", self.code)
    }

    pub(super) fn entity(&self, base: &str) -> Value {
        let captured: Vec<Value> = self
            .payments
            .iter()
            .filter(|payment| payment.status == "captured")
            .map(|payment| {
                json!({ "payment_id": payment.id, "plink_id": self.id, "amount": payment.amount, "method": "upi",
                        "status": "captured", "created_at": payment.created_at })
            })
            .collect();
        json!({
            "accept_partial": false, "amount": self.amount, "amount_paid": self.paid(), "callback_method": "get",
            "callback_url": self.callback_url, "cancelled_at": 0, "created_at": self.created_at, "currency": self.currency,
            "customer": {}, "description": self.description, "expire_by": self.expire_by, "expired_at": 0,
            "first_min_partial_amount": 0, "id": self.id, "notes": null, "notify": { "email": false, "sms": false },
            "order_id": self.order_id, "payments": if captured.is_empty() { Value::Null } else { json!(captured) },
            "reference_id": self.reference_id, "reminder_enable": false, "reminders": [], "short_url": self.short_url(base),
            "status": self.status, "updated_at": self.created_at, "upi_link": false, "user_id": "",
        })
    }

    pub(super) fn order(&self) -> Value {
        json!({
            "amount": self.amount, "amount_due": self.amount - self.paid(), "amount_paid": self.paid(), "entity": "order",
            "currency": self.currency, "id": self.order_id, "receipt": self.reference_id, "notes": [],
            "attempts": self.payments.len(), "status": if self.paid() >= self.amount { "paid" } else { "attempted" },
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
        // The fee is 2.36 %: 2 % and 18 % tax on that, rounded half up.
        let fee = (payment.amount * 236 + 5_000) / 10_000;
        let tax = fee - (payment.amount * 2 + 50) / 100;
        json!({
            "id": payment.id, "entity": "payment", "amount": payment.amount, "currency": self.currency,
            "status": if refund_status == "full" { "refunded" } else { payment.status }, "order_id": self.order_id, "captured": captured, "method": "upi",
            "description": format!("#{}", self.id.trim_start_matches("plink_")), "notes": [],
            "amount_refunded": refunded, "refund_status": refund_status, "fee": if captured { json!(fee) } else { Value::Null },
            "tax": if captured { json!(tax) } else { Value::Null }, "created_at": payment.created_at,
        })
    }
}
