//! Tests of scheduler-service alone, with a real Postgres. Tests that need another service are in the system suite.

mod schema;
mod starting;
