//! Where the parts of a stack listen, and how its services are configured and started.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use kit::env::Env;
use kit::{Clock, Secret};
use kit_pg::PgConfig;
use kit_redis::RedisConfig;
use testkit::{FaultyLink, TestDb};

use crate::links::{Links, through};
use crate::running::Running;

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

/// A schema per service.
pub struct Databases {
    pub auth: TestDb,
    pub songlist: TestDb,
    pub payments: TestDb,
    pub scheduler: TestDb,
}

impl Databases {
    /// Makes the schemas, with all migrations.
    pub(crate) async fn new() -> anyhow::Result<Self> {
        Ok(Self {
            auth: TestDb::new("auth", auth_service::MIGRATIONS).await?,
            songlist: TestDb::new("songlist", songlist_service::MIGRATIONS).await?,
            payments: TestDb::new("payments", payments_service::MIGRATIONS).await?,
            scheduler: TestDb::new("scheduler", scheduler_service::MIGRATIONS).await?,
        })
    }

    /// All of them.
    pub(crate) fn all(&self) -> [&TestDb; 4] {
        let Self { auth, songlist, payments, scheduler } = self;
        [auth, songlist, payments, scheduler]
    }
}

/// The configuration of the services. Addresses are chosen before anything starts, because the services refer to each
/// other.
pub(crate) struct Plan {
    /// By how much the limits of requests are larger than in production.
    pub(crate) limit_factor: u32,
    /// Where the replicas of each service are, in the order of [`Service::ALL`].
    pub(crate) replicas: [Vec<Place>; 5],
    pub(crate) webhook: SocketAddr,
    pub(crate) smtp: SocketAddr,
    pub(crate) razorpay: SocketAddr,
    pub(crate) redis: RedisConfig,
    pub(crate) clock: Clock,
    pub(crate) links: Option<Links>,
}

/// Where one replica serves, and where it tells its metrics.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) addr: SocketAddr,
    pub(crate) ops: SocketAddr,
}

impl Place {
    pub(crate) fn free() -> anyhow::Result<Self> {
        Ok(Self { addr: free_address()?, ops: free_address()? })
    }
}

pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// An address at which nobody listens.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
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

    pub(crate) fn places(&self, service: Service) -> &[Place] {
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
    pub(crate) fn urls(&self, service: Service) -> Vec<String> {
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

    pub(crate) fn auth_config(&self, replica: usize, db: &Databases) -> anyhow::Result<auth_service::Config> {
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

    /// Starts every replica of every service.
    pub(crate) async fn start_all(&self, db: &Databases) -> anyhow::Result<Vec<(Service, usize, Running)>> {
        let mut running = Vec::new();
        for service in Service::ALL {
            for replica in 0..self.places(service).len() {
                let started = self.start(service, replica, db).await;
                running.push((service, replica, started.with_context(|| format!("{service:?} {replica}"))?));
            }
        }
        Ok(running)
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
                config.webhook_addr = if replica == 0 { self.webhook } else { free_address()? };
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
