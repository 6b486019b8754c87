//! Redis for every service: a pool whose dead connections leave it, keys with a prefix, the rate limiter and the revocation
//! marks, read together in one round trip. Redis holds nothing that cannot be lost: each use has a local answer.

mod guard;
mod local;
mod pool;
mod revocations;

pub use guard::{Limit, Verdict};
pub use local::LocalLimiter;
pub use pool::{Redis, RedisConfig, RedisDown};
pub use revocations::{Mark, Subject};
