//! All five services in one process over real loopback sockets, with a schema, a Redis prefix, a mailbox and a Razorpay
//! of their own. A test needs one line for each of these: tenants and people (`world`), a client (`client`), the clock
//! (`Stack::clock`), a fault (`faults`).

mod client;
mod contract;
mod faults;
pub mod journey;
mod links;
mod plan;
mod running;
mod stack;
pub mod world;

pub use client::{Client, Person, Reply, Unexpected};
pub use links::Links;
pub use plan::{Databases, Service};
pub use stack::{ROOT, Stack};
pub use world::World;
