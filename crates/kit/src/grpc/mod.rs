//! gRPC between services: a server that verifies its caller, and clients that sign theirs.

mod attempt;
mod client;
mod replicas;
mod reporting;
mod retry_tokens;
mod server;
mod targets;
mod watching;

use tonic::metadata::MetadataValue;
use tonic::{Request, Response};

use crate::Error;
use crate::caller::Caller;

pub use client::{Dialer, Peer, call, stream};
pub use server::{Callers, GrpcServer, may_call, serve};
pub use targets::Targets;
pub use watching::examine;

/// HTTP/2 windows in bytes, large enough for a page of rows without a window update.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;
/// The metadata key of the caller assertion.
const ASSERTION: &str = "x-caller-assertion";
/// The metadata key of the reason for which an assertion was refused.
const REFUSED: &str = "x-caller-refused";
/// Methods that receive an upload as a stream of messages.
const UPLOADS: &str = "/Import";

/// True for methods that receive an upload: neither a digest nor a limit of one message fits them.
fn is_upload(method: &str) -> bool {
    method.ends_with(UPLOADS)
}

/// The metadata key that a service sets when it answers from an idempotency record.
pub const REPLAYED: &str = "idempotency-replayed";

/// Splits a request into its caller, which the server layer has verified, and its message.
///
/// # Errors
/// `Internal` when the layer is missing, which is a bug.
pub fn open<T>(request: Request<T>) -> Result<(Caller, T), Error> {
    let caller = request.extensions().get::<Caller>().cloned();
    let caller = caller.ok_or_else(|| Error::internal(anyhow::anyhow!("the caller layer is not installed")))?;
    Ok((caller, request.into_inner()))
}

/// A response; marked as a replay when it was read from an idempotency record.
pub fn answer<T>(message: T, replayed: bool) -> Response<T> {
    let mut response = Response::new(message);
    if replayed {
        response.metadata_mut().insert(REPLAYED, MetadataValue::from_static("true"));
    }
    response
}
