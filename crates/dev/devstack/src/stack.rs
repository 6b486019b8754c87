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
    /// Where the replicas of each service are, in the order of [`Service::ALL`].
    replicas: [Vec<Place>; 5],
    webhook: SocketAddr,
    smtp: SocketAddr,
    razorpay: SocketAddr,
    redis: RedisConfig,
    clock: Clock,
    links: Option<Links>,
}

/// Where one replica serves, and where it tells its metrics.
#[derive(Clone, Copy)]
struct Place {
    addr: SocketAddr,
    ops: SocketAddr,
}

impl Place {
    fn free() -> anyhow::Result<Self> {
        Ok(Self { addr: free()?, ops: free()? })
    }
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
    pub(crate) running: Vec<(Service, usize, Running)>,
    outside: Shutdown,
    secrets: Secrets,
    /// One for all people of a test, because a new HTTP client reads every root certificate of the machine.
    client: Client,
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
        let urls = |link: fn(&Links) -> &FaultyLink, service| match &self.links {
            Some(links) => format!("http://{}", link(links).addr()),
            None => self.urls(service).join(","),
        };
        Env::of([
            ("AUTH_GRPC_URL", urls(|links| &links.auth, Service::Auth)),
            ("SONGLIST_GRPC_URL", urls(|links| &links.songlist, Service::Songlist)),
            ("PAYMENTS_GRPC_URL", urls(|links| &links.payments, Service::Payments)),
            ("PUBLIC_URL", self.urls(Service::Gateway).swap_remove(0)),
            ("RAZORPAY_BASE_URL", format!("http://{}/v1", self.razorpay)),
            ("SCHEDULER_POLL_PAYMENTS_SECS", "1".to_owned()),
            ("RATE_LIMIT_FACTOR", self.limit_factor.to_string()),
        ])
    }

    fn places(&self, service: Service) -> &[Place] {
        let [auth, songlist, payments, scheduler, gateway] = &self.replicas;
        match service {
            Service::Auth => auth,
            Service::Songlist => songlist,
            Service::Payments => payments,
            Service::Scheduler => scheduler,
            Service::Gateway => gateway,
        }
    }

    /// The URL of each replica of a service.
    fn urls(&self, service: Service) -> Vec<String> {
        self.places(service).iter().map(|place| format!("http://{}", place.addr)).collect()
    }

    fn place(&self, service: Service, replica: usize) -> anyhow::Result<Place> {
        self.places(service).get(replica).copied().context("there is no such replica")
    }

    fn pg(&self, db: &TestDb) -> anyhow::Result<PgConfig> {
        let mut config = db.config()?;
        if let Some(links) = &self.links {
            config.url = Secret::new(through(config.url.expose(), &links.postgres)?);
        }
        Ok(config)
    }

    fn auth_config(&self, replica: usize, db: &Databases) -> anyhow::Result<auth_service::Config> {
        let mut config = auth_service::Config::from_env(&mut self.env());
        let place = self.place(Service::Auth, replica)?;
        config.grpc_addr = place.addr;
        config.ops_addr = place.ops;
        config.pg = self.pg(&db.auth)?;
        config.redis = self.redis.clone();
        config.mail = auth_service::MailConfig::local_smtp(self.smtp.port());
        config.clock = self.clock.clone();
        Ok(config)
    }

    pub(crate) async fn start(&self, service: Service, replica: usize, db: &Databases) -> anyhow::Result<Running> {
        let (mut env, place) = (self.env(), self.place(service, replica)?);
        match service {
            Service::Auth => {
                let config = self.auth_config(replica, db)?;
                Running::start(|shutdown| auth_service::start(config, shutdown)).await
            }
            Service::Songlist => {
                let mut config = songlist_service::Config::from_env(&mut env);
                config.grpc_addr = place.addr;
                config.ops_addr = place.ops;
                config.pg = self.pg(&db.songlist)?;
                config.clock = self.clock.clone();
                config.media.root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/test-media").to_owned();
                Running::start(|shutdown| songlist_service::start(config, shutdown)).await
            }
            Service::Payments => {
                let mut config = payments_service::Config::from_env(&mut env);
                config.grpc_addr = place.addr;
                config.ops_addr = place.ops;
                config.webhook_addr = if replica == 0 { self.webhook } else { free()? };
                config.pg = self.pg(&db.payments)?;
                config.clock = self.clock.clone();
                Running::start(|shutdown| payments_service::start(config, shutdown)).await
            }
            Service::Scheduler => {
                let mut config = scheduler_service::Config::from_env(&mut env);
                config.grpc_addr = place.addr;
                config.ops_addr = place.ops;
                config.pg = db.scheduler.config()?;
                Running::start(|shutdown| scheduler_service::start(config, shutdown)).await
            }
            Service::Gateway => {
                let mut config = gateway::Config::from_env(&mut env);
                config.http_addr = place.addr;
                config.ops_addr = place.ops;
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
        Self::start_with(1, false, GENEROUS).await
    }

    /// The same with the limits of production.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start_with_real_limits() -> anyhow::Result<Self> {
        Self::start_with(1, false, 1).await
    }

    /// The same with [`Links`] between the parts of the stack.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start_behind_links() -> anyhow::Result<Self> {
        Self::start_with(1, true, GENEROUS).await
    }

    /// The same with the limits of production.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start_behind_links_with_real_limits() -> anyhow::Result<Self> {
        Self::start_with(1, true, 1).await
    }

    /// The same with two replicas of each service; with the limits of production when `real_limits`.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start_two_of_each(real_limits: bool) -> anyhow::Result<Self> {
        Self::start_with(2, false, if real_limits { 1 } else { GENEROUS }).await
    }

    /// The links, when the stack was started with them.
    pub fn links(&self) -> Option<&Links> {
        self.plan.links.as_ref()
    }

    async fn start_with(replicas: usize, links: bool, limit_factor: u32) -> anyhow::Result<Self> {
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
        let places = |_service| (0..replicas).map(|_| Place::free()).collect::<anyhow::Result<Vec<Place>>>();
        let [auth, songlist, payments, scheduler, gateway] = Service::ALL.map(places);
        let replicas = [auth?, songlist?, payments?, scheduler?, gateway?];
        let first = |places: &[Place]| places.first().map(|place| place.addr.to_string()).context("no replica");
        let (mut redis, redis_itself) = (redis.clone(), redis);
        let links = if links {
            let address = |url: &str| anyhow::Ok(host_and_port(&Url::parse(url)?));
            let [auth, songlist, payments, ..] = &replicas;
            let links = Links {
                auth: FaultyLink::to(first(auth)?).await?,
                songlist: FaultyLink::to(first(songlist)?).await?,
                payments: FaultyLink::to(first(payments)?).await?,
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
            replicas,
            links,
            webhook,
            smtp: mail.smtp,
            razorpay,
            redis: redis.clone(),
            clock: clock.clone(),
        };
        let mut running = Vec::new();
        for service in Service::ALL {
            for replica in 0..plan.places(service).len() {
                let started = plan.start(service, replica, &db).await;
                running.push((service, replica, started.with_context(|| format!("{service:?} {replica}"))?));
            }
        }
        let url = plan.urls(Service::Gateway).swap_remove(0);
        let secrets = Secrets::default();
        let client = Client::new(&url)?.strict(secrets.clone());
        let stack = Self {
            clock,
            mailbox,
            mailbox_url: format!("http://{}", mail.web),
            razorpay_url: format!("http://{razorpay}"),
            url,
            db,
            redis,
            plan,
            running,
            outside,
            secrets,
            client,
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
        let config = self.plan.auth_config(0, &self.db)?;
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
        let clients = self.clients();
        let ready = async {
            for client in &clients {
                while !client.has_status("//readyz", reqwest::StatusCode::OK).await {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), ready).await.context("the gateway did not become ready")
    }

    /// A client that is not signed in.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// A client of the front, which stands before the gateways as a load balancer does.
    ///
    /// # Errors
    /// When the front does not start.
    pub async fn front(&self) -> anyhow::Result<Client> {
        let gateways = self.plan.places(Service::Gateway).iter().map(|place| (place.addr, place.ops)).collect();
        let front = sandbox::front::start(loopback(0), gateways).await?;
        Ok(self.client.of(&format!("http://{front}")))
    }

    /// A client of each gateway.
    pub fn clients(&self) -> Vec<Client> {
        self.plan.urls(Service::Gateway).iter().map(|url| self.client.of(url)).collect()
    }

    /// The metrics of each replica of a service, as text.
    ///
    /// # Errors
    /// When one of them does not answer.
    pub async fn metrics(&self, service: Service) -> anyhow::Result<Vec<String>> {
        let mut all = Vec::new();
        for place in self.plan.places(service) {
            all.push(reqwest::get(format!("http://{}/metrics", place.ops)).await?.text().await?);
        }
        Ok(all)
    }

    /// Where the replicas of a service listen: for calls or requests, and for operators.
    pub fn listeners(&self, service: Service) -> Vec<SocketAddr> {
        self.plan.places(service).iter().flat_map(|place| [place.addr, place.ops]).collect()
    }

    /// Waits until every replica says that it is ready, which is all that a rollout waits for.
    pub async fn all_ready(&self) {
        testkit::eventually("every replica is ready", || async {
            for Place { ops, .. } in self.plan.replicas.iter().flatten() {
                let answer = reqwest::get(format!("http://{ops}/readyz")).await.ok()?;
                answer.status().is_success().then_some(())?;
            }
            Some(())
        })
        .await;
    }

    /// The SUPER_ADMIN, signed in.
    ///
    /// # Errors
    /// When signing in fails.
    pub async fn root(&self) -> anyhow::Result<Person> {
        self.client().sign_in("/auth/super-admin", &self.mailbox_url, ROOT.0, ROOT.1).await
    }

    /// Stops everything.
    ///
    /// # Errors
    /// When something secret is in a place where it must not be.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.ensure_secrets_are_kept().await?;
        for (_, _, running) in self.running.iter().rev() {
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
        for Place { ops, .. } in self.plan.replicas.iter().flatten() {
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
