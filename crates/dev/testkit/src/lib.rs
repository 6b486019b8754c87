//! What every test needs: a schema per service, a Redis prefix, callers and a network link that breaks. Every test can
//! run alone and beside all others. The clock is `kit::Clock::movable`; people, tenants and all five services together
//! are in `devstack`.

pub mod caller;
pub mod canary;
mod db;
mod eventually;
mod fault;
mod redis_dump;
mod s3;
pub mod schema;
mod servers;
pub mod tls;

pub use db::TestDb;
pub use eventually::{eventually, eventually_ok};
pub use fault::FaultyLink;
pub use redis_dump::{RedisEntry, redis_dump};
pub use s3::S3;
pub use servers::{Servers, servers};

use std::time::Duration;

use kit::Secret;
use kit_redis::RedisConfig;

/// The configuration of Redis, with a prefix for this test alone.
///
/// # Errors
/// When the servers cannot be started.
pub async fn redis() -> anyhow::Result<RedisConfig> {
    Ok(RedisConfig {
        url: Secret::new(servers().await?.redis_url.clone()),
        authorities: kit::tls::Authorities::default(),
        prefix: format!("t:{}:", kit::ids::random().simple()),
        // Ten times the budget of production, because a test machine may compile at the same time.
        budget: Duration::from_millis(500),
    })
}
