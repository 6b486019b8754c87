//! Tests of payments-service alone, over gRPC, with a real Postgres and the Razorpay sandbox. Tests that need another
//! service are in the system suite.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails its test")]

mod crashing;
mod guarding;
mod interleavings;
mod losing_answers;
mod losing_events;
mod odd_money;
mod operating;
mod payment_links;
mod process;
mod receiving_events;
mod refunding;
mod replica;
mod schema;
mod service;
mod spoilt_events;
mod webhooks;
