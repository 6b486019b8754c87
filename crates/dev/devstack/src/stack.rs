use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use kit::env::Env;
use kit::lifecycle::Shutdown;
use kit::{Clock, Secret};
use kit_pg::PgConfig;
use kit_redis::RedisConfig;
use sandbox::mailbox::{self, Mailbox};
use sandbox::razorpay::{self, Razorpay, RazorpayOptions};
use testkit::canary::{self, Secrets};
use testkit::{FaultyLink, TestDb};
use url::Url;

use crate::client::{Client, Person};
use crate::running::Running;

/// The SUPER_ADMIN of every stack: e-mail and password.
pub const ROOT: (&str, &str) = ("root@songlist.example", "nobody sings this password");
/// The limits of most tests: a thousand times those of production.
const GENEROUS: u32 = 1_000;

/// One of the five services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Auth,
    Songlist,
    Payments,
    Scheduler,
    Gateway,
}

impl Service {
    /// Every service, in the order they are started.
    pub const ALL: [Self; 5] = [Self::Auth, Self::Songlist, Self::Payments, Self::Scheduler, Self::Gateway];
}

/// The configuration of the services. Addresses are chosen before anything starts, because the services refer to each
/// other.
pub(crate) struct Plan {
    /// By how much the limits of requests are larger than in production.
    limit_factor: u32,
    auth: SocketAddr,
    songlist: SocketAddr,
    payments: SocketAddr,
    webhook: SocketAddr,
    gateway: SocketAddr,
    smtp: SocketAddr,
    razorpay: SocketAddr,
    /// Where each service tells its metrics, in the order of [`Service::ALL`].
    ops: [SocketAddr; 5],
    redis: RedisConfig,
    clock: Clock,
    links: Option<Links>,
}

/// Network links in front of services, Postgres and Redis, for counting what is sent and for breaking connections.
pub struct Links {
    /// Between the gateway (and peers) and each service.
    pub auth: FaultyLink,
    pub songlist: FaultyLink,
    pub payments: FaultyLink,
    /// Between all services and Postgres, and Redis.
    pub postgres: FaultyLink,
    pub redis: FaultyLink,
}

/// A schema per service.
pub struct Databases {
    pub auth: TestDb,
    pub songlist: TestDb,
    pub payments: TestDb,
    pub scheduler: TestDb,
}

/// Five services, their databases, mailbox and Razorpay.
pub struct Stack {
    pub clock: Clock,
    pub mailbox: Mailbox,
    pub mailbox_url: String,
    pub razorpay_url: String,
    /// The URL of the gateway.
    pub url: String,
    pub db: Databases,
    pub redis: RedisConfig,
    pub(crate) plan: Plan,
    pub(crate) running: Vec<(Service, Running)>,
    outside: Shutdown,
    secrets: Secrets,
    /// Redis itself, without a link in front.
    redis_itself: RedisConfig,
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// The same URL with the address of the link.
fn through(url: &str, link: &FaultyLink) -> anyhow::Result<String> {
    let mut url = Url::parse(url)?;
    let changed = url.set_host(Some("127.0.0.1")).is_ok() && url.set_port(Some(link.addr().port())).is_ok();
    anyhow::ensure!(changed, "the URL cannot be changed");
    Ok(url.into())
}

fn host_and_port(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or("127.0.0.1"), url.port().unwrap_or(0))
}

fn free() -> anyhow::Result<SocketAddr> {
    Ok(loopback(sandbox::servers::free_port()?))
}

impl Plan {
    /// The environment of a service in a stack.
    fn env(&self) -> Env {
        let url = |addr: SocketAddr| format!("http://{addr}");
        let of = |link: fn(&Links) -> &FaultyLink, addr| self.links.as_ref().map_or(addr, |links| link(links).addr());
        Env::of([
            ("AUTH_URL", url(of(|links| &links.auth, self.auth))),
            ("SONGLIST_URL", url(of(|links| &links.songlist, self.songlist))),
            ("PAYMENTS_URL", url(of(|links| &links.payments, self.payments))),
            ("PUBLIC_URL", url(self.gateway)),
            ("RAZORPAY_BASE_URL", format!("http://{}/v1", self.razorpay)),
            ("SCHEDULER_POLL_PAYMENTS_SECS", "1".to_owned()),
            ("RATE_LIMIT_FACTOR", self.limit_factor.to_string()),
        ])
    }

    fn ops(&self, service: Service) -> SocketAddr {
        let [auth, songlist, payments, scheduler, gateway] = self.ops;
        match service {
            Service::Auth => auth,
            Service::Songlist => songlist,
            Service::Payments => payments,
            Service::Scheduler => scheduler,
            Service::Gateway => gateway,
        }
    }

    fn pg(&self, db: &TestDb) -> anyhow::Result<PgConfig> {
        let mut config = db.config()?;
        if let Some(links) = &self.links {
            config.url = Secret::new(through(config.url.expose(), &links.postgres)?);
        }
        Ok(config)
    }

    fn auth_config(&self, db: &Databases) -> anyhow::Result<auth_service::Config> {
        let mut config = auth_service::Config::from_env(&mut self.env());
        config.grpc_addr = self.auth;
        config.ops_addr = self.ops(Service::Auth);
        config.pg = self.pg(&db.auth)?;
        config.redis = self.redis.clone();
        config.mail = auth_service::MailConfig::local_smtp(self.smtp.port());
        config.clock = self.clock.clone();
        Ok(config)
    }

    pub(crate) async fn start(&self, service: Service, db: &Databases) -> anyhow::Result<Running> {
        let mut env = self.env();
        match service {
            Service::Auth => {
                let config = self.auth_config(db)?;
                Running::start(|shutdown| auth_service::start(config, shutdown)).await
            }
            Service::Songlist => {
                let mut config = songlist_service::Config::from_env(&mut env);
                config.grpc_addr = self.songlist;
                config.ops_addr = self.ops(Service::Songlist);
                config.pg = self.pg(&db.songlist)?;
                config.clock = self.clock.clone();
                config.media.root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/test-media").to_owned();
                Running::start(|shutdown| songlist_service::start(config, shutdown)).await
            }
            Service::Payments => {
                let mut config = payments_service::Config::from_env(&mut env);
                config.grpc_addr = self.payments;
                config.ops_addr = self.ops(Service::Payments);
                config.webhook_addr = self.webhook;
                config.pg = self.pg(&db.payments)?;
                config.clock = self.clock.clone();
                Running::start(|shutdown| payments_service::start(config, shutdown)).await
            }
            Service::Scheduler => {
                let mut config = scheduler_service::Config::from_env(&mut env);
                config.grpc_addr = loopback(0);
                config.ops_addr = self.ops(Service::Scheduler);
                config.pg = db.scheduler.config()?;
                Running::start(|shutdown| scheduler_service::start(config, shutdown)).await
            }
            Service::Gateway => {
                let mut config = gateway::Config::from_env(&mut env);
                config.http_addr = self.gateway;
                config.ops_addr = self.ops(Service::Gateway);
                config.redis = self.redis.clone();
                config.clock = self.clock.clone();
                config.workers = 1;
                Running::start(|shutdown| gateway::start(config, shutdown)).await
            }
        }
    }
}

impl Stack {
    /// Starts everything and creates the SUPER_ADMIN.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(false, GENEROUS).await
    }

    /// The same with the limits of production.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start_with_real_limits() -> anyhow::Result<Self> {
        Self::start_with(false, 1).await
    }

    /// The same with [`Links`] between the parts of the stack.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start_behind_links() -> anyhow::Result<Self> {
        Self::start_with(true, GENEROUS).await
    }

    /// The same with the limits of production.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start_behind_links_with_real_limits() -> anyhow::Result<Self> {
        Self::start_with(true, 1).await
    }

    /// The links, when the stack was started with them.
    pub fn links(&self) -> Option<&Links> {
        self.plan.links.as_ref()
    }

    async fn start_with(links: bool, limit_factor: u32) -> anyhow::Result<Self> {
        canary::record_log();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (clock, redis, outside) = (Clock::movable(), testkit::redis().await?, Shutdown::new());
        let db = Databases {
            auth: TestDb::new("auth", auth_service::MIGRATIONS).await?,
            songlist: TestDb::new("songlist", songlist_service::MIGRATIONS).await?,
            payments: TestDb::new("payments", payments_service::MIGRATIONS).await?,
            scheduler: TestDb::new("scheduler", scheduler_service::MIGRATIONS).await?,
        };
        let mailbox = Mailbox::new();
        let mail = mailbox::start(mailbox.clone(), loopback(0), loopback(0), &outside).await?;
        let webhook = free()?;
        let account = Razorpay::new(RazorpayOptions {
            key_id: "rzp_test_sandbox0000001".to_owned(),
            key_secret: "sandbox_key_secret_0001".to_owned(),
            webhook_secret: "sandbox_webhook_secret_0001".to_owned(),
            webhook_url: format!("http://{webhook}/api/v1/payments/webhook/razorpay/"),
            clock: clock.clone(),
        });
        let razorpay = razorpay::start(account, loopback(0), &outside).await?;
        let (auth, songlist, payments) = (free()?, free()?, free()?);
        let (mut redis, redis_itself) = (redis.clone(), redis);
        let links = if links {
            let address = |url: &str| anyhow::Ok(host_and_port(&Url::parse(url)?));
            let links = Links {
                auth: FaultyLink::to(auth.to_string()).await?,
                songlist: FaultyLink::to(songlist.to_string()).await?,
                payments: FaultyLink::to(payments.to_string()).await?,
                postgres: FaultyLink::to(address(&db.auth.url()?)?).await?,
                redis: FaultyLink::to(address(redis.url.expose())?).await?,
            };
            redis.url = Secret::new(through(redis.url.expose(), &links.redis)?);
            Some(links)
        } else {
            None
        };
        let plan = Plan {
            limit_factor,
            auth,
            songlist,
            payments,
            links,
            webhook,
            gateway: free()?,
            smtp: mail.smtp,
            razorpay,
            ops: [free()?, free()?, free()?, free()?, free()?],
            redis: redis.clone(),
            clock: clock.clone(),
        };
        let mut running = Vec::new();
        for service in Service::ALL {
            running.push((service, plan.start(service, &db).await.with_context(|| format!("{service:?}"))?));
        }
        let stack = Self {
            clock,
            mailbox,
            mailbox_url: format!("http://{}", mail.web),
            razorpay_url: format!("http://{razorpay}"),
            url: format!("http://{}", plan.gateway),
            db,
            redis,
            plan,
            running,
            outside,
            secrets: Secrets::default(),
            redis_itself,
        };
        stack.make_root().await?;
        stack.wait_until_ready().await?;
        Ok(stack)
    }

    /// What an operator may do with SUPER_ADMINs.
    ///
    /// # Errors
    /// When auth-service's parts cannot be reached.
    pub async fn superusers(&self) -> anyhow::Result<auth_service::Superusers> {
        let config = self.plan.auth_config(&self.db)?;
        Ok(auth_service::Superusers::new(auth_service::App::new(config).await?))
    }

    async fn make_root(&self) -> anyhow::Result<()> {
        let superusers = self.superusers().await?;
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
    /// When the HTTP client cannot be made.
    pub fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::new(&self.url)?.strict(self.secrets.clone()))
    }

    /// The SUPER_ADMIN, signed in.
    ///
    /// # Errors
    /// When signing in fails.
    pub async fn root(&self) -> anyhow::Result<Person> {
        self.client()?.sign_in("/auth/super-admin", &self.mailbox_url, ROOT.0, ROOT.1).await
    }

    /// Stops everything.
    ///
    /// # Errors
    /// When something secret is in a place where it must not be.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.ensure_secrets_are_kept().await?;
        for (_, running) in self.running.iter().rev() {
            running.stop().await;
        }
        self.outside.stop();
        self.outside.finished(Duration::from_secs(5)).await;
        Ok(())
    }

    /// Searches the log, the databases, Redis and the metrics for passwords, tokens and mailed codes.
    async fn ensure_secrets_are_kept(&self) -> anyhow::Result<()> {
        let codes = canary::mailed_codes(&self.mailbox);
        let dbs = [&self.db.auth, &self.db.songlist, &self.db.payments, &self.db.scheduler];
        self.secrets.ensure_kept(&dbs, &self.redis_itself, &codes).await?;
        let mut read = 0;
        for ops in &self.plan.ops {
            // A test may have stopped the service.
            if let Ok(metrics) = reqwest::get(format!("http://{ops}/metrics")).await {
                self.secrets.ensure_absent("a metric", &metrics.error_for_status()?.text().await?, &codes)?;
                read += 1;
            }
        }
        anyhow::ensure!(read > 0, "no service has told its metrics");
        Ok(())
    }
}
