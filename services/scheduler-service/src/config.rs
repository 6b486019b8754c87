use std::net::SocketAddr;
use std::time::Duration;

use kit::Clock;
use kit::assertion::KeyRing;
use kit::env::Env;
use kit::grpc::Targets;
use kit_pg::PgConfig;

/// The configuration of scheduler-service.
#[derive(Clone)]
pub struct Config {
    pub grpc_addr: SocketAddr,
    pub ops_addr: SocketAddr,
    pub pg: PgConfig,
    pub keys: KeyRing,
    /// The time between two polls of pending payments.
    pub poll_payments_every: Duration,
    pub auth_targets: Targets,
    pub songlist_targets: Targets,
    pub payments_targets: Targets,
}

impl Config {
    /// Reads the environment; faults are added to `env`.
    pub fn from_env(env: &mut Env) -> Self {
        Self {
            grpc_addr: env.get(
                "SCHEDULER_GRPC_ADDR",
                SocketAddr::from(([127, 0, 0, 1], 9004)),
                "scheduler-service: gRPC",
            ),
            ops_addr: env.get(
                "SCHEDULER_OPS_ADDR",
                SocketAddr::from(([127, 0, 0, 1], 9104)),
                "scheduler-service: internal health and metrics",
            ),
            pg: PgConfig::from_env(env, "SCHEDULER"),
            keys: KeyRing::from_env(env, "scheduler", Clock::system()),
            poll_payments_every: Duration::from_secs(env.get(
                "SCHEDULER_POLL_PAYMENTS_SECS",
                30,
                "Between two polls of pending payments, in s",
            )),
            auth_targets: Targets::from_env(env, "auth"),
            songlist_targets: Targets::from_env(env, "songlist"),
            payments_targets: Targets::from_env(env, "payments"),
        }
    }
}
