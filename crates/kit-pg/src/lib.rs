//! Postgres for every service: the pool, the one way to open a transaction (which sets the tenant for row-level security
//! and retries), idempotent effects, the tenant predicate and migrations.

pub mod bootstrap;
mod config;
mod error;
mod idempotency;
mod like;
pub mod migrate;
mod pool;
mod scope;
mod service;
pub mod tenant;

pub use config::PgConfig;
pub use error::{Conflict, TxError};
pub use idempotency::{IdempotencyKey, Once};
pub use like::like_anywhere;
pub use pool::{Conn, Pool, Work};
pub use scope::Scope;
pub use service::service_main;
