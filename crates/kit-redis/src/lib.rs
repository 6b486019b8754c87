//! Redis for every service: one connection that is replaced when it breaks, keys with a prefix, and rate limits and revocations,
//! read together in one round trip. All data in Redis may be lost: each use has a local replacement.

mod check;
mod local;
mod pool;
mod revocations;
mod settings;

pub use check::{Checked, Limit, Wait};
pub use local::LocalLimiter;
pub use pool::{Redis, RedisConfig, RedisDown};
pub use revocations::{MinVersion, Subject};
pub use settings::LimitSettings;
