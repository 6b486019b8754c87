use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use kit::lifecycle::Shutdown;
use kit::{Clock, Secret};
use kit_redis::RedisConfig;
use sandbox::mailbox::{self, Mailbox};
use sandbox::razorpay::{self, Razorpay, RazorpayOptions};
use testkit::canary::{self, Secrets};

use crate::client::{Client, Person};
use crate::links::{Links, through};
use crate::plan::{Databases, Place, Plan, Service, free_address, loopback};
use crate::running::Running;

/// The SUPER_ADMIN of every stack: e-mail and password.
pub const ROOT: (&str, &str) = ("root@songlist.example", "nobody sings this password");
/// The limits of most tests: a thousand times those of production.
const GENEROUS: u32 = 1_000;

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
        let db = Databases::new().await?;
        let mailbox = Mailbox::new();
        let mail = mailbox::start(mailbox.clone(), loopback(0), loopback(0), &outside).await?;
        let webhook = free_address()?;
        let account = Razorpay::new(RazorpayOptions {
            key_id: "rzp_test_sandbox0000001".to_owned(),
            key_secret: "sandbox_key_secret_0001".to_owned(),
            webhook_secret: "sandbox_webhook_secret_0001".to_owned(),
            webhook_url: format!("http://{webhook}/api/v1/payments/webhook/razorpay/"),
            clock: clock.clone(),
        })?;
        let razorpay = razorpay::start(account, loopback(0), &outside).await?;
        let places = |_service| (0..replicas).map(|_| Place::free()).collect::<anyhow::Result<Vec<Place>>>();
        let [auth, songlist, payments, scheduler, gateway] = Service::ALL.map(places);
        let replicas = [auth?, songlist?, payments?, scheduler?, gateway?];
        let (mut redis, redis_itself) = (redis.clone(), redis);
        let links = if links {
            let [auth, songlist, payments, ..] = &replicas;
            let first = |places: &[Place]| places.first().map(|place| place.addr.to_string()).context("no replica");
            let services = [first(auth)?, first(songlist)?, first(payments)?];
            let links = Links::to(services, &db.auth.url()?, &redis).await?;
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
        let running = plan.start_all(&db).await?;
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
            all.push(self.get(place.ops, "/metrics").await?.text().await?);
        }
        Ok(all)
    }

    /// What a replica answers operators.
    async fn get(&self, ops: SocketAddr, path: &str) -> reqwest::Result<reqwest::Response> {
        self.client.request(reqwest::Method::GET, &format!("http://{ops}{path}")).send().await
    }

    /// Where the replicas of a service listen: for calls or requests, and for operators.
    pub fn listeners(&self, service: Service) -> Vec<SocketAddr> {
        self.plan.places(service).iter().flat_map(|place| [place.addr, place.ops]).collect()
    }

    /// Waits until every replica says that it is ready, which is all that a rollout waits for.
    pub async fn all_ready(&self) {
        testkit::eventually("every replica is ready", || async {
            for Place { ops, .. } in self.plan.replicas.iter().flatten() {
                let answer = self.get(*ops, "/readyz").await.ok()?;
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
        self.secrets.ensure_kept(&self.db.all(), &self.redis_itself, &codes).await?;
        let mut read = 0;
        for Place { ops, .. } in self.plan.replicas.iter().flatten() {
            // A test may have stopped the service.
            if let Ok(metrics) = self.get(*ops, "/metrics").await {
                self.secrets.ensure_absent("a metric", &metrics.error_for_status()?.text().await?, &codes)?;
                read += 1;
            }
        }
        anyhow::ensure!(read > 0, "no service has told its metrics");
        Ok(())
    }
}
