//! Postgres for every service: the pool, the only way to open a transaction (which sets the tenant for row-level
//! security and retries), pipelined reads, pages, idempotency, the tenant predicate and migrations.

pub mod bootstrap;
mod clock;
mod config;
mod connection;
mod error;
mod few;
mod fixed_sql;
mod idempotency;
mod keyset;
mod like;
mod merged;
pub mod migrate;
mod one_of;
mod plans;
mod pool;
mod purge;
mod read;
mod service;
mod shares;
mod target;
mod tenant_predicate;
mod tenant_scope;
mod uncached;
mod waiting;
mod window;

pub use config::PgConfig;
pub use connection::Conn;
pub use error::{Conflict, TxError};
pub use few::{Few, few};
pub use fixed_sql::{FixedSql, fixed_sql};
pub use idempotency::{IdempotencyKey, OLD_KEYS, Once, forget_answers};
pub use keyset::{Behind, behind};
pub use like::{LikeAny, contains_any, like_any, like_anywhere};
pub use merged::{Merged, merged};
pub use one_of::{OneOf, one_of};
pub use plans::{with_one_plan, without_plans};
pub use pool::{Pool, Work};
pub use purge::{OldRows, purge};
pub use service::service_main;
#[cfg(debug_assertions)]
pub use tenant_predicate::switch_off_tenant_predicate;
pub use tenant_predicate::{OfTenant, of_tenant};
pub use tenant_scope::{ReadScope, Scope};
pub use uncached::{Uncached, uncached};
pub use window::{Window, Windowed, in_order, page, page_of_either_end};
