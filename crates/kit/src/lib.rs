//! What every service is built on: errors and their codes, configuration, lifecycle, health, telemetry, clock, ids, callers,
//! pages and the gRPC set-up. It knows no database and no proto, so that an edit of a `.proto` never rebuilds it.

pub mod assertion;
pub mod bulk_thread;
pub mod caller;
pub mod clock;
pub mod clock_offset;
pub mod code;
pub mod deadline;
pub mod env;
pub mod error;
pub mod grpc;
pub mod health;
pub mod ids;
pub mod leaving;
pub mod lifecycle;
pub mod metrics;
pub mod money;
pub mod page;
pub mod runtime;
pub mod secret;
mod status;
pub mod telemetry;
pub mod text;
pub mod tls;
pub mod turns;

pub use clock::Clock;
pub use code::Code;
pub use error::{Error, Kind};
pub use secret::Secret;

/// The result type of everything that can fail for a caller.
pub type Result<T, E = Error> = std::result::Result<T, E>;
