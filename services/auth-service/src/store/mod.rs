//! Rows and queries; the only place that knows diesel. Functions take the connection first and, where rows belong to
//! somebody, the tenant right after it (`None`: the platform).

pub(crate) mod audit;
pub(crate) mod challenges;
pub(crate) mod registrations;
pub(crate) mod revocations;
pub(crate) mod sessions;
pub(crate) mod signing_keys;
pub(crate) mod tenants;
pub(crate) mod users;
