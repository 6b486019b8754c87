use std::net::SocketAddr;

use kit::Clock;
use kit::assertion::KeyRing;
use kit::env::Env;
use kit::grpc::Targets;
use kit_pg::PgConfig;

use crate::media::MediaConfig;

/// The configuration of songlist-service.
#[derive(Clone)]
pub struct Config {
    pub grpc_addr: SocketAddr,
    pub ops_addr: SocketAddr,
    pub pg: PgConfig,
    pub keys: KeyRing,
    pub clock: Clock,
    /// Whether TENANT songs need premium.
    pub songs_need_premium: bool,
    pub media: MediaConfig,
    pub auth_targets: Targets,
    pub payments_targets: Targets,
}

impl Config {
    /// Reads the environment; faults are added to `env`.
    pub fn from_env(env: &mut Env) -> Self {
        let clock = Clock::system();
        Self {
            grpc_addr: env.get(
                "SONGLIST_GRPC_ADDR",
                SocketAddr::from(([127, 0, 0, 1], 9002)),
                "songlist-service: gRPC",
            ),
            ops_addr: env.get(
                "SONGLIST_OPS_ADDR",
                SocketAddr::from(([127, 0, 0, 1], 9102)),
                "songlist-service: internal health and metrics",
            ),
            pg: PgConfig::from_env(env, "SONGLIST"),
            keys: KeyRing::from_env(env, "songlist", clock.clone()),
            songs_need_premium: env.choice(
                "PREMIUM_GATES",
                &["songs", "none"],
                "songs",
                "What needs premium: songs (TENANT songs) or none",
            ) == "songs",
            media: MediaConfig::from_env(env),
            auth_targets: Targets::from_env(env, "auth"),
            payments_targets: Targets::from_env(env, "payments"),
            clock,
        }
    }
}
