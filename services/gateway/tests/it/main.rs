//! Tests of the gateway alone, over HTTP: what it answers by itself, and what it answers while no service is available.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails its test")]

mod bounds;
mod refusals;
mod service;
