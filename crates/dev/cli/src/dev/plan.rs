use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use kit::env::Env;
use tokio::time::Instant;

use super::children::Children;
use super::replicas::{self, Count, Replica};
use super::servers::Servers;

/// The variables that only the sandbox reads: name and default, description.
pub(crate) const SANDBOX_VARIABLES: [((&str, &str), &str); 4] = [
    (("SANDBOX_WEB_ADDR", "127.0.0.1:8025"), "sandbox: the mailbox's page and API"),
    (("SANDBOX_SMTP_ADDR", "127.0.0.1:1025"), "sandbox: SMTP"),
    (("SANDBOX_RAZORPAY_ADDR", "127.0.0.1:8026"), "sandbox: Razorpay"),
    (("SANDBOX_WEBHOOK_URL", ""), "Where the sandbox's Razorpay sends events; the payments-service's port when empty"),
];

/// Every address of a development stack.
pub(super) struct Plan {
    /// The name of the variable and the address.
    addresses: Vec<(&'static str, SocketAddr)>,
    /// Variables of the environment that are passed on unchanged.
    given: Vec<(String, String)>,
    /// The processes of the services.
    pub(super) replicas: Vec<Replica>,
}

/// The variable and the default port of every listener.
const LISTENERS: [(&str, u16); 14] = [
    ("GATEWAY_HTTP_ADDR", 8000),
    ("PAYMENTS_WEBHOOK_ADDR", 8001),
    ("SANDBOX_WEB_ADDR", 8025),
    ("SANDBOX_SMTP_ADDR", 1025),
    ("SANDBOX_RAZORPAY_ADDR", 8026),
    ("AUTH_GRPC_ADDR", 9001),
    ("SONGLIST_GRPC_ADDR", 9002),
    ("PAYMENTS_GRPC_ADDR", 9003),
    ("SCHEDULER_GRPC_ADDR", 9004),
    ("GATEWAY_OPS_ADDR", 9100),
    ("AUTH_OPS_ADDR", 9101),
    ("SONGLIST_OPS_ADDR", 9102),
    ("PAYMENTS_OPS_ADDR", 9103),
    ("SCHEDULER_OPS_ADDR", 9104),
];
/// The address of a listener that is not in the list.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Variables that are passed on when they are set.
const HANDED_ON: [&str; 9] = [
    "LOG_LEVEL",
    "LOG_FORMAT",
    "WORKERS",
    "PREMIUM_GATES",
    "CORS_ORIGINS",
    "RATE_LIMIT_FACTOR",
    "RATE_LIMIT_ENABLE",
    "RATE_LIMIT_LOGIN_ATTEMPTS",
    "RATE_LIMIT_LOGIN_WINDOW",
];

impl Plan {
    pub(super) fn from_env(env: &mut Env, counts: &[Count]) -> anyhow::Result<Self> {
        let addresses: Vec<(&str, SocketAddr)> = LISTENERS
            .map(|(name, port)| {
                (name, env.get(name, SocketAddr::from(([127, 0, 0, 1], port)), "an address to listen on"))
            })
            .to_vec();
        let given =
            HANDED_ON.iter().filter_map(|name| Some(((*name).to_owned(), env.opt(name, "handed on")?))).collect();
        let first = |name: &str| addresses.iter().find(|(known, _)| *known == name).map(|(_, addr)| *addr);
        let replicas = replicas::plan(counts, |name| first(name).unwrap_or(NOWHERE))?;
        Ok(Self { addresses, given, replicas })
    }

    pub(super) fn address(&self, name: &str) -> SocketAddr {
        let found = self.addresses.iter().find(|(known, _)| *known == name);
        found.map_or(NOWHERE, |(_, addr)| *addr)
    }

    /// The address of this listener at each replica that has it.
    fn addresses_of(&self, name: &str) -> Vec<SocketAddr> {
        self.replicas.iter().filter_map(|replica| replica.address(name)).collect()
    }

    /// The public and the internal address of each gateway, when there are several.
    pub(super) fn gateways(&self) -> Option<Vec<(SocketAddr, SocketAddr)>> {
        let (http, ops) = (self.addresses_of("GATEWAY_HTTP_ADDR"), self.addresses_of("GATEWAY_OPS_ADDR"));
        (http.len() > 1).then(|| http.into_iter().zip(ops).collect())
    }

    pub(super) fn url(&self, name: &str) -> String {
        format!("http://{}", self.address(name))
    }

    /// Fails when a port is taken; the message names every such port.
    pub(super) fn require_free_ports(&self) -> anyhow::Result<()> {
        let taken: Vec<String> = self
            .addresses
            .iter()
            .filter(|(_, addr)| TcpListener::bind(addr).is_err())
            .map(|(name, addr)| format!("{addr} (set {name} to use another)"))
            .collect();
        anyhow::ensure!(taken.is_empty(), "these addresses are taken: {}", taken.join(", "));
        Ok(())
    }

    /// The variables that every process gets; each reads the ones it needs.
    pub(super) fn variables(&self, servers: &Servers, folder: &Path) -> Vec<(String, String)> {
        let mut variables: Vec<(String, String)> =
            self.addresses.iter().map(|(name, addr)| ((*name).to_owned(), addr.to_string())).collect();
        let mut set = |name: &str, value: String| variables.push((name.to_owned(), value));
        for (name, listener) in [
            ("AUTH_GRPC_URL", "AUTH_GRPC_ADDR"),
            ("SONGLIST_GRPC_URL", "SONGLIST_GRPC_ADDR"),
            ("PAYMENTS_GRPC_URL", "PAYMENTS_GRPC_ADDR"),
        ] {
            let urls: Vec<String> = self.addresses_of(listener).iter().map(|addr| format!("http://{addr}")).collect();
            set(name, urls.join(","));
        }
        set("PUBLIC_URL", self.url("GATEWAY_HTTP_ADDR"));
        set("FRONTEND_URL", self.url("GATEWAY_HTTP_ADDR"));
        set("MEDIA_ROOT", folder.join("media").display().to_string());
        set("MEDIA_PUBLIC_URL", format!("{}/media", self.url("GATEWAY_HTTP_ADDR")));
        set("EMAIL_HOST", self.address("SANDBOX_SMTP_ADDR").ip().to_string());
        set("EMAIL_PORT", self.address("SANDBOX_SMTP_ADDR").port().to_string());
        set("RAZORPAY_BASE_URL", format!("{}/v1", self.url("SANDBOX_RAZORPAY_ADDR")));
        set("SANDBOX_WEBHOOK_URL", format!("{}/api/v1/payments/webhook/razorpay/", self.url("PAYMENTS_WEBHOOK_ADDR")));
        set("REDIS_URL", servers.redis_url());
        // In development all users share one address.
        set("RATE_LIMIT_FACTOR", "20".to_owned());
        for svc in ["AUTH", "SONGLIST", "PAYMENTS", "SCHEDULER"] {
            let lower = svc.to_lowercase();
            set(&format!("{svc}_DATABASE_URL"), servers.url_of(&format!("{lower}_rw")));
            set(&format!("{svc}_MIGRATE_DATABASE_URL"), servers.url_of(&format!("{lower}_owner")));
        }
        variables.extend(self.given.iter().cloned());
        variables
    }

    /// Waits until every service is ready.
    pub(super) async fn wait_until_ready(&self, children: &mut Children) -> anyhow::Result<()> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(1)).build()?;
        let deadline = Instant::now() + Duration::from_secs(30);
        let all = self.replicas.iter().flat_map(|replica| &replica.addresses);
        for (name, addr) in all.filter(|(name, _)| name.ends_with("_OPS_ADDR")) {
            let url = format!("http://{addr}/readyz");
            while !http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                children.require_alive()?;
                anyhow::ensure!(Instant::now() < deadline, "{name}: {url} is not ready after 30 s; see its log");
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        }
        Ok(())
    }
}
