use std::net::SocketAddr;

use ipnet::IpNet;
use kit::Clock;
use kit::assertion::KeyRing;
use kit::env::Env;
use kit::grpc::Targets;
use kit_redis::{LimitSettings, RedisConfig};

/// The configuration of the gateway.
#[derive(Clone)]
pub struct Config {
    pub http_addr: SocketAddr,
    pub ops_addr: SocketAddr,
    pub redis: RedisConfig,
    pub keys: KeyRing,
    pub clock: Clock,
    /// The `iss` of tokens.
    pub issuer: String,
    /// The base of the links `next` and `previous` and of the OpenAPI document, instead of the Host header.
    pub public_url: String,
    /// The origins from which browsers may call, compared exactly.
    pub cors_origins: Vec<String>,
    /// The number of proxies in front that append to X-Forwarded-For; 0: the peer is the client.
    pub trusted_hops: usize,
    /// The networks from which forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Every rate limit is multiplied by this; tests and load measurements raise it.
    pub limits: LimitSettings,
    /// The number of threads that serve HTTP.
    pub workers: usize,
    pub auth_targets: Targets,
    pub songlist_targets: Targets,
    pub payments_targets: Targets,
}

impl Config {
    /// Reads the environment; faults are added to `env`.
    pub fn from_env(env: &mut Env) -> Self {
        let clock = Clock::system();
        let origins = env.text("CORS_ORIGINS", "", "Exact origins that browsers may call from, comma-separated");
        Self {
            http_addr: env.get("GATEWAY_HTTP_ADDR", SocketAddr::from(([127, 0, 0, 1], 8000)), "gateway: public HTTP"),
            ops_addr: env.get(
                "GATEWAY_OPS_ADDR",
                SocketAddr::from(([127, 0, 0, 1], 9100)),
                "gateway: internal health and metrics",
            ),
            redis: RedisConfig::from_env(env),
            keys: KeyRing::from_env(env, "gateway", clock.clone()),
            clock,
            issuer: env.text("TOKEN_ISSUER", "songlist", "The iss of tokens; the same for auth-service and gateway"),
            public_url: env
                .text(
                    "PUBLIC_URL",
                    "http://127.0.0.1:8000",
                    "The gateway as clients reach it; links in answers are built from it",
                )
                .trim_end_matches('/')
                .to_owned(),
            cors_origins: origins.split(',').map(str::trim).filter(|o| !o.is_empty()).map(str::to_owned).collect(),
            trusted_hops: env.get("TRUSTED_PROXY_HOPS", 0, "Proxies in front that append to X-Forwarded-For"),
            trusted_proxies: networks(env),
            limits: LimitSettings::from_env(env),
            workers: kit::runtime::workers_from_env(env),
            auth_targets: Targets::from_env(env, "auth"),
            songlist_targets: Targets::from_env(env, "songlist"),
            payments_targets: Targets::from_env(env, "payments"),
        }
    }
}

/// The networks of the proxies in front: loopback and private ones unless others are named.
fn networks(env: &mut Env) -> Vec<IpNet> {
    const PRIVATE: &str = "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7";
    let about = "Networks of the proxies in front, comma-separated; forwarding headers of others are not read";
    let text = env.text("TRUSTED_PROXIES", PRIVATE, about);
    let mut networks = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        match part.parse() {
            Ok(network) => networks.push(network),
            Err(_) => env.problem(format!("TRUSTED_PROXIES: {part} is no network such as 10.0.0.0/8")),
        }
    }
    networks
}
