//! HTTP: how a request is checked, what its handler gets, and the envelopes of the answers.

pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod context;
pub(crate) mod csv;
pub(crate) mod dispatch;
pub(crate) mod error;
pub(crate) mod file;
mod json_body;
pub(crate) mod json_schema;
mod json_shape;
pub(crate) mod page;
pub(crate) mod param;
mod query;
pub(crate) mod rate;
pub(crate) mod reply;
pub(crate) mod request_id;
pub(crate) mod rule;
mod rule_builder;
pub(crate) mod server;
