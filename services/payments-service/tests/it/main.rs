//! Tests of payments-service alone, over gRPC, with a real Postgres and the Razorpay sandbox. Tests that need another
//! service are in the system suite.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails its test")]

mod guarding;
mod interleavings;
mod losing_answers;
mod operating;
mod payment_links;
mod receiving_events;
mod refunding;
mod schema;
mod service;
mod webhooks;
