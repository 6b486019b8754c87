use std::sync::Arc;

use kit::health::Health;
use kit::metrics::Metrics;
use kit_redis::{LocalLimiter, Redis};
use tokens::{TokenKind, Verifier};

use crate::config::Config;
use crate::peers::Peers;
use crate::revocations::Snapshot;
use crate::signing_keys::SigningKeys;

/// What every request shares.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

pub(crate) struct Parts {
    pub config: Config,
    pub redis: Redis,
    pub local_limits: LocalLimiter,
    pub verifier: Verifier,
    pub signing_keys: SigningKeys,
    pub revocations: Snapshot,
    pub health: Health,
    pub metrics: Metrics,
    pub peers: Peers,
}

impl App {
    pub(crate) fn new(config: Config) -> anyhow::Result<Self> {
        let parts = Parts {
            redis: Redis::new(&config.redis)?,
            local_limits: LocalLimiter::default(),
            verifier: Verifier::new(&config.issuer, TokenKind::Access, config.clock.clone()),
            signing_keys: SigningKeys::default(),
            revocations: Snapshot::default(),
            health: Health::default(),
            metrics: Metrics::new()?,
            peers: Peers::new(&config)?,
            config,
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
