//! The system suite: all five services, real sockets, Postgres, Redis and SMTP.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails its test")]

mod database;
mod isolation;
mod journey;
mod sign_in;
mod world;
