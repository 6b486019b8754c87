use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kit::Clock;
use serde_json::Value;

use super::chaos::Chaos;
use super::entities::{Link, Refund};

/// The letters of Razorpay's ids.
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// How often a clock that can be moved is looked at.
const TICK: Duration = Duration::from_millis(20);
/// How long a delivery may take until it has failed.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(5);

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

/// The answer that a key of idempotency has got, and for which request.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub key: String,
    pub body: Value,
    pub answer: Value,
}

/// An event that is kept until it is released.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub event: String,
    pub body: String,
    pub id: String,
}

#[derive(Default)]
pub(super) struct State {
    pub base: String,
    pub links: Vec<Link>,
    pub refunds: Vec<Refund>,
    /// Settlements: what was paid to the merchant's bank, one after the other.
    pub settlements: Vec<Vec<Value>>,
    /// By keys of idempotency.
    pub answered: Vec<Answered>,
    /// Requests to the API that had the right key.
    pub calls: u64,
    pub chaos: Chaos,
    pub held: Vec<Held>,
    /// Deliveries begun, without their retries.
    pub sent: usize,
    /// Deliveries tried: the event, and the status of the answer (0: there was none).
    pub deliveries: Vec<(String, u16)>,
    /// When the webhook was disabled, because an event could not be delivered for a day; 0 while it is not.
    pub disabled_at: i64,
}

impl State {
    /// What has gone back of a payment, or is on its way back.
    pub(super) fn refunded(&self, payment: &str) -> i64 {
        let of_payment = self.refunds.iter().filter(|refund| refund.payment_id == payment && refund.status != "failed");
        of_payment.map(|refund| refund.amount).sum()
    }

    /// The link to which a payment belongs, and the place of the payment in it.
    pub(super) fn payment_mut(&mut self, id: &str) -> Option<(&mut Link, usize)> {
        self.links.iter_mut().find_map(|link| {
            let place = link.payments.iter().position(|payment| payment.id == id)?;
            Some((link, place))
        })
    }
}

/// The sandbox. Clones share its state.
#[derive(Clone)]
pub struct Razorpay {
    pub(super) options: Arc<RazorpayOptions>,
    state: Arc<Mutex<State>>,
    /// Delivers events, each with a connection of its own: the service may have been started again since the last one.
    pub(super) http: reqwest::Client,
}

impl Razorpay {
    /// An account without any link.
    ///
    /// # Errors
    /// When the HTTP client that delivers events cannot be made.
    pub fn new(options: RazorpayOptions) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(DELIVERY_TIMEOUT).pool_max_idle_per_host(0).build()?;
        Ok(Self { options: Arc::new(options), state: Arc::default(), http })
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

    /// Waits by a clock that can be moved.
    pub(super) async fn wait(&self, how_long: Duration) {
        let begun = self.options.clock.now();
        loop {
            let passed = (self.options.clock.now() - begun).to_std().unwrap_or_default();
            match how_long.checked_sub(passed).filter(|left| !left.is_zero()) {
                Some(left) => tokio::time::sleep(left.min(TICK)).await,
                None => return,
            }
        }
    }

    /// Sets links to expired whose time is over.
    pub(super) fn expire(&self) {
        let now = self.now();
        for link in &mut self.state().links {
            if matches!(link.status, "created" | "partially_paid") && link.expire_by > 0 && link.expire_by <= now {
                (link.status, link.expired_at, link.updated_at) = ("expired", now, now);
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
