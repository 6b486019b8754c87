//! Rows and queries; the only module that uses diesel. All times are by the database's clock, because replicas compare
//! them.

pub(crate) mod jobs;
pub(crate) mod lease;
