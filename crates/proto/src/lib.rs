//! The gRPC messages between services: one module per proto package, made from `proto/` at build time. Re-exports tonic and
//! prost, so that all crates use the same versions.

pub use {prost, prost_types, tonic};

/// The generated code, in modules nested like the packages.
#[expect(
    clippy::all,
    clippy::allow_attributes,
    clippy::as_conversions,
    unused_qualifications,
    unreachable_pub,
    reason = "generated"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/packages.rs"));
}

pub use generated::songlist::{
    auth::v1 as auth, common::v1 as common, payments::v1 as payments, scheduler::v1 as scheduler,
    songlist::v1 as songlist,
};

mod lock;
mod page;
pub mod time;

pub use lock::descriptor_lock;

/// The descriptors of all messages, for the check that no field changes its meaning.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The methods, as `package.Service/Method`, that change nothing (`idempotency_level = NO_SIDE_EFFECTS`), in order: a client
/// may call them again whatever became of the first call.
pub const WITHOUT_EFFECT: &[&str] = include!(concat!(env!("OUT_DIR"), "/without_effect.rs"));
