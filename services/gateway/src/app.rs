use std::sync::Arc;

use actix_web::web::Bytes;
use kit::health::Health;
use kit::leaving::UnderWay;
use kit::metrics::Metrics;
use kit_redis::{LocalLimiter, Redis};
use tokens::{TokenKind, Verifier};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::peers::Peers;
use crate::revocations::Revocations;
use crate::signing_keys::SigningKeys;

/// The state that requests share. Each thread that serves HTTP has one of its own, so that threads share no
/// connections.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

pub(crate) struct Parts {
    shared: Arc<Shared>,
    pub redis: Redis,
    pub peers: Peers,
}

/// The state that all threads share.
pub(crate) struct Shared {
    pub config: Config,
    pub local_limits: LocalLimiter,
    pub signing_keys: Arc<SigningKeys>,
    pub revocations: Arc<Revocations>,
    pub health: Health,
    pub metrics: Metrics,
    /// Cancelled when the gateway is going to stop.
    pub draining: CancellationToken,
    /// The requests that are being answered.
    pub under_way: UnderWay,
    /// The OpenAPI document, rendered once.
    pub openapi: Bytes,
}

impl App {
    pub(crate) fn new(config: Config, openapi: Bytes, draining: CancellationToken) -> anyhow::Result<Self> {
        let verifier = Verifier::new(&config.issuer, TokenKind::Access, config.clock.clone());
        let metrics = Metrics::new()?;
        let shared = Shared {
            local_limits: LocalLimiter::default(),
            signing_keys: Arc::new(SigningKeys::new(Peers::new(&config, &metrics).keys(), verifier)),
            revocations: Arc::default(),
            health: Health::default(),
            metrics,
            draining,
            under_way: UnderWay::default(),
            openapi,
            config,
        };
        Self::with_connections(Arc::new(shared))
    }

    /// The same state with connections of its own, which are opened on the calling thread.
    ///
    /// # Errors
    /// When an address of the configuration cannot be parsed; [`App::new`] would have failed before.
    pub(crate) fn for_this_thread(&self) -> anyhow::Result<Self> {
        Self::with_connections(self.0.shared.clone())
    }

    fn with_connections(shared: Arc<Shared>) -> anyhow::Result<Self> {
        let (redis, peers) = (Redis::new(&shared.config.redis)?, Peers::new(&shared.config, &shared.metrics));
        Ok(Self(Arc::new(Parts { shared, redis, peers })))
    }
}

impl std::ops::Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl std::ops::Deref for Parts {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.shared
    }
}
