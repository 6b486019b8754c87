//! Rows and queries; the only place that knows diesel. Every time is the database's clock: several replicas compare them.

pub(crate) mod jobs;
pub(crate) mod lease;
