use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use kit::env::Env;
use kit::lifecycle::Shutdown;
use kit::{Clock, Secret};
use kit_redis::RedisConfig;
use sandbox::mailbox::{self, Mailbox};
use testkit::TestDb;

use crate::client::{Client, Person};
use crate::service::Running;

/// The SUPER_ADMIN of every stack: e-mail and password.
pub const ROOT: (&str, &str) = ("root@songlist.example", "a long way to the top");

/// Ports chosen before anything starts: services name each other.
struct Ports {
    auth: SocketAddr,
    gateway: SocketAddr,
}

/// Five services, their databases, mailbox and Razorpay.
pub struct Stack {
    pub clock: Clock,
    pub mailbox: Mailbox,
    pub mailbox_url: String,
    /// The gateway.
    pub url: String,
    pub auth_db: TestDb,
    redis: RedisConfig,
    smtp: SocketAddr,
    ports: Ports,
    auth: Running,
    gateway: Running,
    outside: Shutdown,
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn free() -> anyhow::Result<SocketAddr> {
    Ok(loopback(sandbox::servers::free_port()?))
}

/// The environment of a service in a stack.
fn env(ports: &Ports) -> Env {
    let url = |addr: SocketAddr| format!("http://{addr}");
    Env::of([
        ("AUTH_URL", url(ports.auth)),
        ("PUBLIC_URL", url(ports.gateway)),
        ("RATE_LIMIT_FACTOR", "1000".to_owned()),
    ])
}

impl Stack {
    /// Starts everything and makes the SUPER_ADMIN.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start() -> anyhow::Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (clock, redis) = (Clock::movable(), testkit::redis().await?);
        let auth_db = TestDb::new("auth", auth_service::MIGRATIONS).await?;
        let outside = Shutdown::new();
        let mailbox = Mailbox::new();
        let mail = mailbox::start(mailbox.clone(), loopback(0), loopback(0), &outside).await?;
        let ports = Ports { auth: free()?, gateway: free()? };
        let auth = start_auth(&ports, &auth_db, &redis, mail.smtp, &clock).await?;
        let gateway = start_gateway(&ports, &redis, &clock).await?;
        let stack = Self {
            clock,
            mailbox,
            mailbox_url: format!("http://{}", mail.web),
            url: format!("http://{}", ports.gateway),
            auth_db,
            redis,
            smtp: mail.smtp,
            ports,
            auth,
            gateway,
            outside,
        };
        stack.make_root().await?;
        stack.wait_until_ready().await?;
        Ok(stack)
    }

    async fn make_root(&self) -> anyhow::Result<()> {
        let config = auth_config(&self.ports, &self.auth_db, &self.redis, self.smtp, &self.clock)?;
        let superusers = auth_service::Superusers::new(auth_service::App::new(config).await?);
        let new = auth_service::NewSuperuser {
            username: "root".to_owned(),
            email: ROOT.0.to_owned(),
            password: Secret::new(ROOT.1),
        };
        superusers.create(&new).await?;
        Ok(())
    }

    async fn wait_until_ready(&self) -> anyhow::Result<()> {
        let client = self.client()?;
        let ready = async {
            while !client.has_status("//readyz", reqwest::StatusCode::OK).await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), ready).await.context("the gateway did not become ready")
    }

    /// A client that is not signed in.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn client(&self) -> anyhow::Result<Client> {
        Client::new(&self.url)
    }

    /// The SUPER_ADMIN, signed in.
    ///
    /// # Errors
    /// When signing in fails.
    pub async fn root(&self) -> anyhow::Result<Person> {
        self.client()?.sign_in("/auth/super-admin", &self.mailbox_url, ROOT.0, ROOT.1).await
    }

    /// Kills auth-service without letting it finish anything, and starts it again at the same address.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart_auth(&mut self) -> anyhow::Result<()> {
        self.auth.kill();
        self.auth = start_auth(&self.ports, &self.auth_db, &self.redis, self.smtp, &self.clock).await?;
        Ok(())
    }

    /// Stops everything.
    pub async fn stop(self) {
        for running in [&self.gateway, &self.auth] {
            running.stop().await;
        }
        self.outside.stop();
        self.outside.finished(Duration::from_secs(5)).await;
    }
}

fn auth_config(
    ports: &Ports,
    db: &TestDb,
    redis: &RedisConfig,
    smtp: SocketAddr,
    clock: &Clock,
) -> anyhow::Result<auth_service::Config> {
    let mut config = auth_service::Config::from_env(&mut env(ports));
    config.grpc_addr = ports.auth;
    config.ops_addr = loopback(0);
    config.pg = db.config()?;
    config.redis = redis.clone();
    config.mail = auth_service::MailConfig::local_smtp(smtp.port());
    config.clock = clock.clone();
    Ok(config)
}

async fn start_auth(
    ports: &Ports,
    db: &TestDb,
    redis: &RedisConfig,
    smtp: SocketAddr,
    clock: &Clock,
) -> anyhow::Result<Running> {
    let config = auth_config(ports, db, redis, smtp, clock)?;
    Running::start(|shutdown| auth_service::start(config, shutdown)).await
}

async fn start_gateway(ports: &Ports, redis: &RedisConfig, clock: &Clock) -> anyhow::Result<Running> {
    let mut config = gateway::Config::from_env(&mut env(ports));
    config.http_addr = ports.gateway;
    config.ops_addr = loopback(0);
    config.redis = redis.clone();
    config.clock = clock.clone();
    config.workers = 1;
    Running::start(|shutdown| gateway::start(config, shutdown)).await
}
