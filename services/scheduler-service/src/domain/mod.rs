//! The rules: which jobs exist, which replica is the leader, and what a run is.

pub(crate) mod jobs;
pub(crate) mod leader;
