//! Rows and queries; the only module that uses diesel. Functions take the connection first and, for rows of a tenant,
//! the tenant right after it (`None`: the platform). A live row is one that is not deleted.

pub(crate) mod audit_events;
pub(crate) mod authenticators;
pub(crate) mod challenges;
pub(crate) mod deleted_users;
pub(crate) mod registrations;
pub(crate) mod revocations;
pub(crate) mod sessions;
pub(crate) mod signing_keys;
pub(crate) mod tenants;
pub(crate) mod users;
