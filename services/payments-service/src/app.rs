use std::sync::Arc;

use kit::Clock;
use kit::assertion::KeyRing;
use kit::health::Health;
use kit::ids::TenantId;
use kit::metrics::Metrics;
use kit::turns::Turns;
use kit_pg::Pool;
use outbox::Wake;
use tokio::sync::Notify;

use crate::config::{Config, Price};
use crate::crash::Crash;
use crate::peers::Peers;
use crate::razorpay::Razorpay;

/// The state that all handlers of the service share.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The contents of [`App`].
pub struct Parts {
    pub(crate) pg: Pool,
    /// One request for a link at a time for each tenant.
    pub(crate) turns: Turns<TenantId>,
    pub(crate) clock: Clock,
    pub(crate) keys: KeyRing,
    /// Wakes the relay of the outbox.
    pub(crate) wake: Wake,
    /// Wakes the task that applies webhook events.
    pub(crate) arrived: Notify,
    pub(crate) health: Health,
    pub(crate) metrics: Metrics,
    pub(crate) peers: Peers,
    pub(crate) razorpay: Razorpay,
    pub(crate) price: Price,
    pub(crate) callback_url: String,
    pub(crate) crash: Crash,
    /// Events of other accounts are put aside.
    pub(crate) account_id: Option<String>,
}

impl App {
    /// Creates the state; nothing is connected yet.
    ///
    /// # Errors
    /// When an address cannot be read.
    pub fn new(config: Config) -> anyhow::Result<Self> {
        let metrics = Metrics::new()?;
        let parts = Parts {
            pg: Pool::new(&config.pg, &[]),
            turns: Turns::default(),
            wake: Wake::default(),
            arrived: Notify::new(),
            health: Health::default(),
            peers: Peers::new(&config, &metrics),
            metrics,
            razorpay: Razorpay::new(&config.razorpay, config.clock.clone())?,
            price: config.price,
            callback_url: config.callback_url,
            crash: config.crash,
            account_id: config.razorpay.account_id,
            keys: config.keys,
            clock: config.clock,
        };
        Ok(Self(Arc::new(parts)))
    }
}

impl std::ops::Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
