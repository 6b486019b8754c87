//! All five services in one process over real loopback sockets, with a schema, a Redis prefix, a mailbox and a Razorpay of
//! their own: what the system suite tests.

mod client;
pub mod journey;
mod running;
mod stack;

pub use client::{Client, Person, Reply, Unexpected};
pub use stack::{Databases, ROOT, Service, Stack};
