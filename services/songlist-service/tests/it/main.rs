//! songlist-service alone, over gRPC, on a real Postgres; what needs another service is in the system suite.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails its test")]

mod finding;
mod importing;
mod outbox;
mod premium;
mod reading;
mod schema;
mod service;
