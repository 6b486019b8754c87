use std::sync::Arc;

use kit::assertion::KeyRing;
use kit::health::Health;
use kit::metrics::Metrics;
use kit::turns::Turns;
use kit::{Clock, Code};
use kit_pg::{Conflict, Pool};
use kit_redis::{LimitSettings, LocalLimiter, Redis};
use outbox::Wake;
use tokens::{Issuer, TokenKind, Verifier};
use uuid::Uuid;

use crate::config::{Config, Lifetimes};
use crate::domain::codes::CodeKeys;
use crate::domain::hasher::Hasher;
use crate::domain::sealing::SealingKeys;
use crate::domain::signing_keys::Keychain;
use crate::domain::tenants::KnownNames;
use crate::mail::Mailer;
use crate::peers::Peers;

/// What a violated constraint means to a caller.
const CONFLICTS: &[Conflict] = &[
    Conflict { constraint: "tenants_name_key", code: Code::TenantExists },
    Conflict { constraint: "tenants_slug_key", code: Code::SlugTaken },
    Conflict { constraint: "users_email_key", code: Code::EmailTaken },
    Conflict { constraint: "users_platform_email_key", code: Code::EmailTaken },
    Conflict { constraint: "users_username_key", code: Code::UsernameTaken },
    Conflict { constraint: "users_platform_username_key", code: Code::UsernameTaken },
];

/// The state that all handlers of the service share.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The contents of [`App`].
pub struct Parts {
    pub(crate) pg: Pool,
    /// One refresh at a time for each session.
    pub(crate) turns: Turns<Uuid>,
    pub(crate) redis: Redis,
    /// Limits while Redis is away.
    pub(crate) local_limits: LocalLimiter,
    pub(crate) limits: LimitSettings,
    pub(crate) clock: Clock,
    pub(crate) keys: KeyRing,
    pub(crate) wake: Wake,
    pub(crate) health: Health,
    pub(crate) metrics: Metrics,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) hasher: Hasher,
    pub(crate) tenant_names: KnownNames,
    pub(crate) code_keys: CodeKeys,
    pub(crate) keychain: Keychain,
    /// Encrypts secrets in the database.
    pub(crate) sealing: SealingKeys,
    pub(crate) issuer: Issuer,
    pub(crate) refresh_verifier: Verifier,
    pub(crate) mailer: Mailer,
    pub(crate) peers: Peers,
}

impl App {
    /// Creates the state; nothing is connected yet.
    ///
    /// # Errors
    /// When a key or an address cannot be read.
    pub async fn new(config: Config) -> anyhow::Result<Self> {
        tokens::install()?;
        let metrics = Metrics::new()?;
        let parts = Parts {
            pg: Pool::new(&config.pg, CONFLICTS),
            turns: Turns::default(),
            redis: Redis::new(&config.redis)?.with_clock(config.clock.clone()),
            local_limits: LocalLimiter::default(),
            limits: config.limits,
            wake: Wake::default(),
            health: Health::default(),
            peers: Peers::new(&config, &metrics),
            metrics,
            lifetimes: config.lifetimes,
            hasher: Hasher::new(),
            tenant_names: KnownNames::default(),
            code_keys: CodeKeys::parse(&config.code_keys)?,
            keychain: Keychain::default(),
            sealing: SealingKeys::parse(&config.key_encryption_key)?,
            issuer: Issuer::new(&config.issuer),
            refresh_verifier: Verifier::new(&config.issuer, TokenKind::Refresh, config.clock.clone()),
            mailer: Mailer::new(&config.mail)?,
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
