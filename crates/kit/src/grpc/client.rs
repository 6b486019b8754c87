use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::HeaderValue;
use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tower::{BoxError, Service};

use super::{ASSERTION, CONNECTION_WINDOW, STREAM_WINDOW, is_upload};
use crate::Error;
use crate::assertion::{Digest, KeyRing};
use crate::caller::Caller;

/// A channel to another service that signs the caller and the message of every call.
#[derive(Clone)]
pub struct Peer {
    channel: Channel,
    audience: &'static str,
    keys: KeyRing,
}

impl Service<http::Request<Body>> for Peer {
    type Response = http::Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.channel.poll_ready(cx).map_err(BoxError::from)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        // The one that was polled ready is used, and its clone is kept for the next call.
        let clone = self.channel.clone();
        let mut channel = std::mem::replace(&mut self.channel, clone);
        let (audience, keys) = (self.audience, self.keys.clone());
        Box::pin(async move {
            let signed = sign(request, audience, &keys).await.map_err(Status::from)?;
            Ok(channel.call(signed).await?)
        })
    }
}

/// Adds the assertion to a request. A message is read whole for its digest; an upload is a stream and has none.
async fn sign(request: http::Request<Body>, audience: &str, keys: &KeyRing) -> Result<http::Request<Body>, Error> {
    let (mut head, body) = request.into_parts();
    let method = head.uri.path().trim_start_matches('/').to_owned();
    let Some(caller) = head.extensions.get::<Caller>() else {
        return Err(Error::internal(anyhow::anyhow!("a call was made without grpc::call")));
    };
    let (digest, body) = if is_upload(&method) {
        (Digest::of_a_stream(), body)
    } else {
        let message = body.collect().await.map_err(Error::internal)?.to_bytes();
        (Digest::of(&message), Body::new(Full::new(message)))
    };
    let assertion = keys.sign(audience, &method, &digest, caller)?;
    head.headers.insert(ASSERTION, HeaderValue::from_str(&assertion).map_err(Error::internal)?);
    Ok(http::Request::from_parts(head, body))
}

/// A channel that connects lazily: when the peer is down, the call fails, not the start.
///
/// # Errors
/// When the address is not a URI.
pub fn connect(audience: &'static str, uri: &str, keys: &KeyRing) -> anyhow::Result<Peer> {
    let endpoint = Endpoint::from_shared(uri.to_owned())?
        .connect_timeout(Duration::from_millis(500))
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keep_alive_interval(Duration::from_secs(5))
        .keep_alive_timeout(Duration::from_secs(5))
        .keep_alive_while_idle(true);
    Ok(Peer { channel: endpoint.connect_lazy(), audience, keys: keys.clone() })
}

/// A request with its caller and a deadline of `budget` from now.
pub fn call<T>(caller: &Caller, budget: Duration, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(budget);
    request.extensions_mut().insert(caller.clone());
    request
}

/// A request for a stream without an end, with its caller and without a deadline.
pub fn stream<T>(caller: &Caller, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(caller.clone());
    request
}
