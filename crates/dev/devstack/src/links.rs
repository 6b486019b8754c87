//! Links that a test can break, between the parts of a stack.

use kit_redis::RedisConfig;
use testkit::FaultyLink;
use url::Url;

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

impl Links {
    /// Links to auth-service, songlist-service and payments-service, whose addresses come in this order, and to the servers of these
    /// URLs.
    pub(crate) async fn to(services: [String; 3], postgres: &str, redis: &RedisConfig) -> anyhow::Result<Self> {
        let [auth, songlist, payments] = services;
        Ok(Self {
            auth: FaultyLink::to(auth).await?,
            songlist: FaultyLink::to(songlist).await?,
            payments: FaultyLink::to(payments).await?,
            postgres: FaultyLink::to(host_and_port(&Url::parse(postgres)?)).await?,
            redis: FaultyLink::to(host_and_port(&Url::parse(redis.url.expose())?)).await?,
        })
    }
}

/// The same URL with the address of the link.
pub(crate) fn through(url: &str, link: &FaultyLink) -> anyhow::Result<String> {
    let mut url = Url::parse(url)?;
    let changed = url.set_host(Some("127.0.0.1")).is_ok() && url.set_port(Some(link.addr().port())).is_ok();
    anyhow::ensure!(changed, "the URL cannot be changed");
    Ok(url.into())
}

fn host_and_port(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or("127.0.0.1"), url.port().unwrap_or(0))
}
