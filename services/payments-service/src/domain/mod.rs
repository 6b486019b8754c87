//! The rules: who may do what, which input is valid, and which queries run in which transaction.

pub(crate) mod asking;
pub(crate) mod audit;
pub(crate) mod callbacks;
pub(crate) mod effects;
pub(crate) mod events;
pub(crate) mod payment_links;
pub(crate) mod payments;
pub(crate) mod polling;
pub(crate) mod recording;
pub(crate) mod refunds;
pub(crate) mod sending;
pub(crate) mod settlement;
pub(crate) mod state_machine;
pub(crate) mod status;
pub(crate) mod subscriptions;
pub(crate) mod webhook_events;
pub(crate) mod webhook_facts;
