//! Rows and queries; the only module that uses diesel. Functions take the connection first and, for rows of a tenant,
//! the tenant right after it.

pub(crate) mod facts;
pub(crate) mod ledger;
pub(crate) mod payments;
pub(crate) mod subscriptions;
pub(crate) mod tenants;
pub(crate) mod webhook_events;
