//! The system suite: all five services, real sockets, Postgres, Redis and SMTP.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

mod catalogue;
mod database;
mod isolation;
mod journey;
mod messaging;
mod payments;
mod sign_in;
mod world;
