//! scheduler-service alone, on a real Postgres; what needs another service is in the system suite.

mod schema;
mod starting;
