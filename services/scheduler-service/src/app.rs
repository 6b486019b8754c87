use std::sync::Arc;
use std::time::Duration;

use kit::assertion::KeyRing;
use kit::health::Health;
use kit::metrics::Metrics;
use kit_pg::Pool;
use uuid::Uuid;

use crate::config::Config;
use crate::peers::Peers;

/// The state that all handlers of the service share.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The contents of [`App`].
pub struct Parts {
    pub(crate) pg: Pool,
    pub(crate) keys: KeyRing,
    pub(crate) health: Health,
    pub(crate) metrics: Metrics,
    pub(crate) peers: Peers,
    pub(crate) poll_payments_every: Duration,
    /// The id under which this process holds the lease.
    pub(crate) me: Uuid,
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
            health: Health::default(),
            peers: Peers::new(&config, &metrics),
            metrics,
            poll_payments_every: config.poll_payments_every,
            me: kit::ids::random(),
            keys: config.keys,
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
