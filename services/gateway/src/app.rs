use std::sync::Arc;

use actix_web::web::Bytes;
use kit::health::Health;
use kit::metrics::Metrics;
use kit_redis::{LocalLimiter, Redis};
use tokens::{TokenKind, Verifier};

use crate::config::Config;
use crate::peers::Peers;
use crate::revocations::Revocations;
use crate::signing_keys::SigningKeys;

/// What every request shares.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

pub(crate) struct Parts {
    pub config: Config,
    pub redis: Redis,
    pub local_limits: LocalLimiter,
    pub signing_keys: Arc<SigningKeys>,
    pub revocations: Arc<Revocations>,
    pub health: Health,
    pub metrics: Metrics,
    pub peers: Peers,
    /// The OpenAPI document, rendered once.
    pub openapi: Bytes,
}

impl App {
    pub(crate) fn new(config: Config, openapi: Bytes) -> anyhow::Result<Self> {
        let peers = Peers::new(&config)?;
        let verifier = Verifier::new(&config.issuer, TokenKind::Access, config.clock.clone());
        let parts = Parts {
            redis: Redis::new(&config.redis)?,
            local_limits: LocalLimiter::default(),
            signing_keys: Arc::new(SigningKeys::new(peers.keys(), verifier)),
            revocations: Arc::default(),
            health: Health::default(),
            metrics: Metrics::new()?,
            peers,
            openapi,
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
