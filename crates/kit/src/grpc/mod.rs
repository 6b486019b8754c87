//! gRPC between our services: a server that knows its caller, and clients that sign who calls.

mod client;
mod server;

use tonic::Request;

use crate::Error;
use crate::caller::Caller;

pub use client::{Peer, call, connect, stream};
pub use server::{GrpcServer, serve};

/// The metadata key of the caller assertion.
const ASSERTION: &str = "x-caller-assertion";
/// The metadata key a callee sets when it answers from an idempotency record.
pub const REPLAYED: &str = "idempotency-replayed";

/// The verified caller of a request, put there by the server layer.
///
/// # Errors
/// `Internal` when the layer is missing, which is a bug.
pub fn caller<T>(request: &Request<T>) -> Result<Caller, Error> {
    let caller = request.extensions().get::<Caller>().cloned();
    caller.ok_or_else(|| Error::internal(anyhow::anyhow!("the caller layer is not installed")))
}
