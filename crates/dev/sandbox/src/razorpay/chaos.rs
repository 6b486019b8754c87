//! What a test wants to go wrong.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Deserialize;

/// What goes wrong now. In a request to change it, fields that are left out stay as they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Chaos {
    /// Webhooks are not sent at all.
    pub drop_webhooks: bool,
    /// Webhooks are kept until they are released.
    pub hold_webhooks: bool,
    /// How many more times each event is sent.
    pub duplicates: u32,
    /// How each delivery is spoilt.
    pub webhook_fault: WebhookFault,
    /// Requests to the API wait.
    pub hold_api: bool,
    /// Lists of links are empty: Razorpay's lists lag behind.
    pub hide_links: bool,
    /// By how many seconds this clock is ahead.
    pub skew_secs: i64,
    /// Refunds are not processed at once.
    pub refunds_stay_pending: bool,
    /// The most paise of a link.
    pub max_amount: Option<i64>,
    /// The most links of this account.
    pub link_quota: Option<usize>,
    /// The text for a reference that exists is that of the live service, not that of its documentation.
    pub live_texts: bool,
    /// UPI links can be made, as with live keys.
    pub upi_links: bool,
    /// Failures that the API answers with instead of its real answers, one per request.
    pub failures: VecDeque<Failure>,
    /// Things that happen by chance.
    pub chances: Option<Chances>,
}

/// How deliveries are spoilt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WebhookFault {
    #[default]
    None,
    WrongSignature,
    /// Signed with the secret that was configured before.
    OldSecret,
    /// The second half of the body is missing.
    Truncated,
    /// A second delivery has the same id and another body.
    OtherBody,
}

/// A failure that the API answers with.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Failure {
    pub status: u16,
    /// When true, the request takes effect and only its answer is lost.
    #[serde(default)]
    pub commit: bool,
    /// The code of the error; the usual one when missing.
    pub code: Option<String>,
    /// What `Retry-After` says, in seconds.
    pub retry_after: Option<u64>,
    /// A part of method and path, such as `POST /v1/payment_links`; any request when it is empty.
    #[serde(default)]
    pub path: String,
    #[serde(default)]
    pub body: FailureBody,
}

/// What a failure has instead of Razorpay's error.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FailureBody {
    #[default]
    Error,
    Html,
    Truncated,
    Empty,
}

/// Things that happen by chance, each with so many per cent. The same seed decides the same way for the n-th event, and for the n-th
/// request: how many requests lie between two events depends on who is faster.
#[derive(Clone, Debug)]
pub(super) struct Chances {
    events: fastrand::Rng,
    requests: fastrand::Rng,
    wanted: WantedChances,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct WantedChances {
    seed: u64,
    /// Events that are never sent.
    #[serde(default)]
    drop: u8,
    /// Events that are sent twice.
    #[serde(default)]
    duplicate: u8,
    /// Events that are sent up to a second later, so that others overtake them.
    #[serde(default)]
    delay: u8,
    /// Requests to the API whose answer is lost, half of them after they have taken effect.
    #[serde(default)]
    fail: u8,
}

fn happens(random: &mut fastrand::Rng, percent: u8) -> bool {
    random.u8(0..100) < percent
}

impl Chances {
    fn new(wanted: WantedChances) -> Self {
        let mut events = fastrand::Rng::with_seed(wanted.seed);
        Self { requests: events.fork(), events, wanted }
    }

    /// How long after now an event is delivered; each once.
    pub(super) fn deliveries(&mut self) -> Vec<Duration> {
        if happens(&mut self.events, self.wanted.drop) {
            return Vec::new();
        }
        let count = if happens(&mut self.events, self.wanted.duplicate) { 2 } else { 1 };
        let mut delays = Vec::new();
        for _ in 0..count {
            let late = if happens(&mut self.events, self.wanted.delay) { self.events.u64(0..1_000) } else { 0 };
            delays.push(Duration::from_millis(late));
        }
        delays
    }

    /// Whether a request fails.
    pub(super) fn failure(&mut self) -> Option<Failure> {
        let fails = happens(&mut self.requests, self.wanted.fail);
        let (status, commit) = (502, self.requests.bool());
        let body = FailureBody::default();
        fails.then(|| Failure { status, commit, code: None, retry_after: None, path: String::new(), body })
    }
}

/// A request to change it.
#[derive(Deserialize)]
pub(super) struct Wanted {
    drop_webhooks: Option<bool>,
    hold_webhooks: Option<bool>,
    duplicates: Option<u32>,
    webhook_fault: Option<WebhookFault>,
    hold_api: Option<bool>,
    hide_links: Option<bool>,
    skew_secs: Option<i64>,
    refunds_stay_pending: Option<bool>,
    max_amount: Option<i64>,
    link_quota: Option<usize>,
    live_texts: Option<bool>,
    upi_links: Option<bool>,
    failures: Option<VecDeque<Failure>>,
    chances: Option<WantedChances>,
}

impl Chaos {
    pub(super) fn change(&mut self, wanted: Wanted) {
        fn set<T>(field: &mut T, wanted: Option<T>) {
            if let Some(wanted) = wanted {
                *field = wanted;
            }
        }
        set(&mut self.drop_webhooks, wanted.drop_webhooks);
        set(&mut self.hold_webhooks, wanted.hold_webhooks);
        set(&mut self.duplicates, wanted.duplicates);
        set(&mut self.webhook_fault, wanted.webhook_fault);
        set(&mut self.hold_api, wanted.hold_api);
        set(&mut self.hide_links, wanted.hide_links);
        set(&mut self.skew_secs, wanted.skew_secs);
        set(&mut self.refunds_stay_pending, wanted.refunds_stay_pending);
        set(&mut self.max_amount, wanted.max_amount.map(Some));
        set(&mut self.link_quota, wanted.link_quota.map(Some));
        set(&mut self.live_texts, wanted.live_texts);
        set(&mut self.upi_links, wanted.upi_links);
        set(&mut self.failures, wanted.failures);
        set(&mut self.chances, wanted.chances.map(|wanted| Some(Chances::new(wanted))));
    }

    /// The failure that a request is answered with.
    pub(super) fn failure_of(&mut self, request: &str) -> Option<Failure> {
        let planned = self.failures.iter().position(|failure| request.contains(&failure.path));
        match planned {
            Some(place) => self.failures.remove(place),
            None => self.chances.as_mut().and_then(Chances::failure),
        }
    }
}
