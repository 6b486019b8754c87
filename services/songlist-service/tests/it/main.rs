//! Tests of songlist-service alone, over gRPC, with a real Postgres. Tests that need another service are in the system
//! suite.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails its test")]

mod artwork_store;
mod bounds;
mod finding;
mod following;
mod importing;
mod outbox;
mod premium;
mod reading;
mod schema;
mod service;
mod user_operations;
