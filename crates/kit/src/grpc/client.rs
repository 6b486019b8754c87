use std::time::Duration;

use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{GrpcMethod, Request, Status};

use super::{ASSERTION, CONNECTION_WINDOW, STREAM_WINDOW};
use crate::Error;
use crate::assertion::KeyRing;
use crate::caller::Caller;

/// A channel to another service that signs the caller of every call.
pub type Peer = InterceptedService<Channel, Signer>;

/// Signs the caller of each request; `audience` is the service that is called.
#[derive(Clone)]
pub struct Signer {
    audience: &'static str,
    keys: KeyRing,
}

impl Interceptor for Signer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let (Some(caller), Some(method)) =
            (request.extensions().get::<Caller>(), request.extensions().get::<GrpcMethod<'_>>())
        else {
            return Err(Error::internal(anyhow::anyhow!("a call was made without grpc::call")).into());
        };
        let name = format!("{}/{}", method.service(), method.method());
        let assertion = self.keys.sign(self.audience, &name, caller)?;
        let value = MetadataValue::try_from(assertion).map_err(|bad| Error::internal(anyhow::anyhow!(bad)))?;
        request.metadata_mut().insert(ASSERTION, value);
        Ok(request)
    }
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
    Ok(InterceptedService::new(endpoint.connect_lazy(), Signer { audience, keys: keys.clone() }))
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
