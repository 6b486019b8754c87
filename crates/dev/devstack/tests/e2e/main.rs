//! The system suite: all five services, real sockets, Postgres, Redis and SMTP.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

mod importing_songs;
mod database;
mod isolation;
mod journey;
mod paying;
mod signing_in;
#[path = "../../src/world.rs"]
mod world;
