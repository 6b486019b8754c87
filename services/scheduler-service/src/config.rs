use std::net::SocketAddr;
use std::time::Duration;

use kit::Clock;
use kit::assertion::KeyRing;
use kit::env::Env;
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
    pub auth_url: String,
    pub songlist_url: String,
    pub payments_url: String,
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
            auth_url: env.text("AUTH_URL", "http://127.0.0.1:9001", "Where auth-service's gRPC is reached"),
            songlist_url: env.text("SONGLIST_URL", "http://127.0.0.1:9002", "Where songlist-service's gRPC is reached"),
            payments_url: env.text("PAYMENTS_URL", "http://127.0.0.1:9003", "Where payments-service's gRPC is reached"),
        }
    }
}
