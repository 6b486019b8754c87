//! Tests of auth-service alone, over gRPC, with a real Postgres, Redis and SMTP server. Tests that need another service
//! are in the system suite.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails its test")]

mod budgets;
mod codes;
mod passwords;
mod private_authorities;
mod refresh_tokens;
mod replicas;
mod schema;
mod service;
mod signing_keys;
mod stranger;
