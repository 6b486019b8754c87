use std::net::SocketAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use kit::assertion::KeyRing;
use kit::env::Env;
use kit::grpc::Targets;
use kit::{Clock, Secret};
use kit_pg::PgConfig;

use crate::crash::Crash;

/// The configuration of payments-service.
#[derive(Clone)]
pub struct Config {
    pub grpc_addr: SocketAddr,
    pub ops_addr: SocketAddr,
    pub webhook_addr: SocketAddr,
    pub pg: PgConfig,
    pub keys: KeyRing,
    pub clock: Clock,
    pub razorpay: RazorpayConfig,
    pub price: Price,
    /// The URL to which browsers return after a payment.
    pub callback_url: String,
    pub(crate) crash: Crash,
    pub auth_targets: Targets,
    pub songlist_targets: Targets,
}

/// The address of Razorpay and the secrets shared with it.
#[derive(Clone, Debug)]
pub struct RazorpayConfig {
    pub base_url: String,
    pub key_id: String,
    pub key_secret: Secret,
    pub webhook_secret: Secret,
    /// Also accepted for as long as it is set, because retries of a webhook are signed with the secret of the first
    /// try.
    pub previous_webhook_secret: Option<Secret>,
    /// When the previous secret stops to count.
    pub previous_webhook_secret_until: Option<DateTime<Utc>>,
    /// The account whose events are applied; any when it is not known.
    pub account_id: Option<String>,
}

/// What premium costs.
#[derive(Clone, Debug)]
pub struct Price {
    /// Paise.
    pub amount_minor: i64,
    pub currency: String,
    pub description: String,
    /// Razorpay requires at least 15 minutes, and sometimes fails at exactly 15.
    pub link_life: Duration,
}

impl Config {
    /// Reads the environment; faults are added to `env`.
    pub fn from_env(env: &mut Env) -> Self {
        let clock = Clock::system();
        let public_url = env.text(
            "PUBLIC_URL",
            "http://127.0.0.1:8000",
            "The gateway as clients reach it; links in answers are built from it",
        );
        Self {
            grpc_addr: env.get(
                "PAYMENTS_GRPC_ADDR",
                SocketAddr::from(([127, 0, 0, 1], 9003)),
                "payments-service: gRPC",
            ),
            ops_addr: env.get(
                "PAYMENTS_OPS_ADDR",
                SocketAddr::from(([127, 0, 0, 1], 9103)),
                "payments-service: internal health and metrics",
            ),
            webhook_addr: env.get(
                "PAYMENTS_WEBHOOK_ADDR",
                SocketAddr::from(([127, 0, 0, 1], 8001)),
                "payments-service: public port for Razorpay's webhooks",
            ),
            pg: PgConfig::from_env(env, "PAYMENTS"),
            keys: KeyRing::from_env(env, "payments", clock.clone()),
            razorpay: RazorpayConfig::from_env(env),
            price: Price::from_env(env),
            callback_url: format!("{}/api/v1/payments/callback/razorpay/", public_url.trim_end_matches('/')),
            crash: Crash::from_env(env),
            auth_targets: Targets::from_env(env, "auth"),
            songlist_targets: Targets::from_env(env, "songlist"),
            clock,
        }
    }
}

impl RazorpayConfig {
    fn from_env(env: &mut Env) -> Self {
        Self {
            base_url: env.text("RAZORPAY_BASE_URL", "https://api.razorpay.com/v1", "Razorpay's API, or the sandbox's"),
            key_id: env.text(
                "RAZORPAY_KEY_ID",
                "rzp_test_sandbox0000001",
                "Razorpay key id; it decides between test and live mode",
            ),
            key_secret: env.secret(
                "RAZORPAY_KEY_SECRET",
                "sandbox_key_secret_0001",
                16,
                "Razorpay key secret: API calls and callback signatures",
            ),
            webhook_secret: env.secret(
                "RAZORPAY_WEBHOOK_SECRET",
                "sandbox_webhook_secret_0001",
                16,
                "Secret of the webhook, as set in Razorpay's dashboard",
            ),
            previous_webhook_secret: env
                .opt("RAZORPAY_WEBHOOK_SECRET_PREVIOUS", "The webhook secret before a change; keep it for 15 days")
                .map(Secret::new),
            previous_webhook_secret_until: time(
                env,
                "RAZORPAY_WEBHOOK_SECRET_PREVIOUS_UNTIL",
                "When the previous webhook secret stops to count, such as 2026-12-24T00:00:00Z; never when missing",
            ),
            account_id: env.opt("RAZORPAY_ACCOUNT_ID", "Razorpay account; events of other accounts are put aside"),
        }
    }
}

/// A moment, as RFC 3339 writes it.
fn time(env: &mut Env, name: &str, about: &'static str) -> Option<DateTime<Utc>> {
    let text = env.opt(name, about)?;
    let time = DateTime::parse_from_rfc3339(&text).ok();
    if time.is_none() {
        env.problem(format!("{name} is not a time such as 2026-12-24T00:00:00Z"));
    }
    time.map(|time| time.to_utc())
}

impl Price {
    fn from_env(env: &mut Env) -> Self {
        let amount_minor = env.get("PREMIUM_AMOUNT_MINOR", 99_900_i64, "Price of premium in paise");
        if amount_minor < 100 {
            env.problem("PREMIUM_AMOUNT_MINOR must be at least 100: Razorpay takes no less than one rupee");
        }
        let life =
            env.get("PAYMENT_LINK_TTL_SECS", 960_u64, "Life of a payment link; Razorpay wants at least 15 minutes");
        if life < 960 {
            env.problem("PAYMENT_LINK_TTL_SECS must be at least 960");
        }
        Self {
            amount_minor: amount_minor.max(100),
            currency: env.text("PREMIUM_CURRENCY", "INR", "Currency of premium"),
            description: env.text("PREMIUM_DESCRIPTION", "SongList premium, lifetime", "What the hosted page shows"),
            link_life: Duration::from_secs(life),
        }
    }
}
