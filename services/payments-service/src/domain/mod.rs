//! Rules: who may, what is valid, which queries in which transaction.

pub(crate) mod callbacks;
pub(crate) mod links;
pub(crate) mod payments;
pub(crate) mod settlement;
pub(crate) mod states;
pub(crate) mod subscriptions;
pub(crate) mod webhooks;
