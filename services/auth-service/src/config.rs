use std::net::SocketAddr;
use std::time::Duration;

use kit::assertion::KeyRing;
use kit::env::Env;
use kit::grpc::Targets;
use kit::{Clock, Secret};
use kit_pg::PgConfig;
use kit_redis::{LimitSettings, RedisConfig};

use crate::MailConfig;

/// The configuration of auth-service.
#[derive(Clone)]
pub struct Config {
    pub grpc_addr: SocketAddr,
    pub ops_addr: SocketAddr,
    pub pg: PgConfig,
    pub redis: RedisConfig,
    pub keys: KeyRing,
    pub mail: MailConfig,
    pub clock: Clock,
    /// Encrypts the private signing keys in the database; keys of 64 hex digits, the newest first.
    pub key_encryption_key: Secret,
    /// The MAC keys of the stored one-time codes: `id=hex`, the newest first.
    pub code_keys: Secret,
    /// The `iss` of tokens.
    pub issuer: String,
    pub lifetimes: Lifetimes,
    pub limits: LimitSettings,
    pub songlist_targets: Targets,
    pub payments_targets: Targets,
}

/// Lifetimes of tokens, sessions and codes.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    pub access: Duration,
    /// The lifetime of a refresh token; each refresh starts it again.
    pub refresh: Duration,
    /// The lifetime of a session, which a refresh does not extend.
    pub session: Duration,
    pub login_code: Duration,
    /// The lifetime of codes for e-mail verification and password reset.
    pub proof_code: Duration,
    /// The time between two mails for one challenge.
    pub resend_after: Duration,
}

impl Config {
    /// Reads the environment; faults are added to `env`.
    pub fn from_env(env: &mut Env) -> Self {
        let clock = Clock::system();
        let key = "0000000000000000000000000000000000000000000000000000000000000001";
        Self {
            grpc_addr: env.get("AUTH_GRPC_ADDR", SocketAddr::from(([127, 0, 0, 1], 9001)), "auth-service: gRPC"),
            ops_addr: env.get(
                "AUTH_OPS_ADDR",
                SocketAddr::from(([127, 0, 0, 1], 9101)),
                "auth-service: internal health and metrics",
            ),
            pg: PgConfig::from_env(env, "AUTH"),
            redis: RedisConfig::from_env(env),
            keys: KeyRing::from_env(env, "auth", clock.clone()),
            mail: MailConfig::from_env(env),
            key_encryption_key: env.secret(
                "AUTH_KEY_ENCRYPTION_KEY",
                key,
                64,
                "Seals the private signing keys in the database: 64 hex digits, or a list of such keys; the first seals, all open (see songlist keys reseal)",
            ),
            code_keys: env.secret(
                "AUTH_CODE_KEYS",
                &format!("dev={key}"),
                64,
                "Keys of the stored one-time and recovery codes: id=64 hex digits, comma-separated, the newest first; an old key stays as long as recovery codes of it",
            ),
            issuer: env.text("TOKEN_ISSUER", "songlist", "The iss of tokens; the same for auth-service and gateway"),
            lifetimes: Lifetimes::from_env(env),
            limits: LimitSettings::from_env(env),
            songlist_targets: Targets::from_env(env, "songlist"),
            payments_targets: Targets::from_env(env, "payments"),
            clock,
        }
    }
}

impl Lifetimes {
    fn from_env(env: &mut Env) -> Self {
        let mut secs = |name: &str, default: u64, about| Duration::from_secs(env.get(name, default, about));
        Self {
            access: secs("AUTH_ACCESS_TTL_SECS", 600, "Life of an access token"),
            refresh: secs("AUTH_REFRESH_TTL_SECS", 172_800, "Life of an unused refresh token"),
            session: secs("AUTH_SESSION_TTL_SECS", 2_592_000, "Life of a session, whatever is refreshed"),
            login_code: secs("AUTH_LOGIN_CODE_TTL_SECS", 300, "Life of a sign-in code, from its first dispatch"),
            proof_code: secs(
                "AUTH_PROOF_CODE_TTL_SECS",
                3_600,
                "Life of a verification or reset code, from its first dispatch",
            ),
            resend_after: secs("AUTH_RESEND_AFTER_SECS", 60, "Between two sends of one code"),
        }
    }
}
