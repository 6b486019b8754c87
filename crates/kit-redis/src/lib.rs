//! Redis for every service: a pool that drops dead connections, keys with a prefix, and the rate limiter and the revocations,
//! read together in one round trip. Redis holds nothing that cannot be lost: each use has a local answer.

mod check;
mod local;
mod pool;
mod revocations;

pub use check::{Checked, Limit};
pub use local::LocalLimiter;
pub use pool::{Redis, RedisConfig, RedisDown};
pub use revocations::{MinVersion, Subject};
