use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use http::HeaderValue;
use http_body_util::{BodyExt, Full, Limited};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tower::{Layer, Service};
use tracing::Instrument;

use super::{ASSERTION, CONNECTION_WINDOW, REFUSED, STREAM_WINDOW, is_upload, reporting};
use crate::Error;
use crate::assertion::{Digest, KeyRing};
use crate::caller::Caller;
use crate::deadline;
use crate::health::Health;
use crate::leaving::UnderWay;
use crate::lifecycle::Shutdown;
use crate::metrics::Metrics;

/// What a gRPC listener needs besides its services.
pub struct GrpcServer {
    pub addr: SocketAddr,
    pub keys: KeyRing,
    pub metrics: Metrics,
    pub callers: Callers,
    pub health: Health,
}

/// Which services may call which methods: `package.Service/Method`, or `package.Service/` for all of a service. Whatever
/// is not listed is refused.
pub type Callers = &'static [(&'static str, &'static [&'static str])];

/// True when the table lets `caller` call `method`.
pub fn may_call(callers: Callers, caller: &str, method: &str) -> bool {
    let listed = |entry: &&str| *entry == method || (entry.ends_with('/') && method.starts_with(*entry));
    callers.iter().any(|(name, methods)| *name == caller && methods.iter().any(listed))
}

/// The largest message, except for uploads of a stream, in bytes.
const MAX_MESSAGE: usize = 1024 * 1024;
/// The largest message with an image of 2 MiB, in bytes.
const MAX_IMAGE_MESSAGE: usize = 2 * 1024 * 1024 + 64 * 1024;

fn largest(method: &str) -> usize {
    if method.ends_with("/SetArtwork") { MAX_IMAGE_MESSAGE } else { MAX_MESSAGE }
}

/// The longest that a call may take, whatever its caller allows. Imports send longer deadlines than other calls.
const MAX_CALL: Duration = Duration::from_secs(600);

/// Serves the routes; returns the bound address. It ends after the soft token when its last call has, whoever is connected.
///
/// # Errors
/// When the address cannot be bound.
pub async fn serve(server: GrpcServer, routes: Routes, shutdown: &Shutdown) -> anyhow::Result<SocketAddr> {
    let listener = crate::health::bind(server.addr).await?;
    let bound = listener.local_addr()?;
    let (reporter, health) = tonic_health::server::health_reporter();
    reporting::start(reporter, server.callers, server.health, shutdown).await;
    let under_way = UnderWay::default();
    let (keys, metrics, callers) = (server.keys, server.metrics, server.callers);
    let layer = CallerLayer { keys, metrics, callers, under_way: under_way.clone() };
    let soft = shutdown.soft.clone();
    let router = Server::builder()
        .timeout(MAX_CALL)
        .concurrency_limit_per_connection(512)
        .load_shed(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keepalive_interval(Some(Duration::from_secs(20)))
        .layer(layer)
        .add_routes(routes.add_service(health));
    // The builder's own setting has no effect on a listener that was bound before.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    shutdown.spawn("grpc", async move {
        let serving = router.serve_with_incoming_shutdown(incoming, soft.clone().cancelled_owned());
        tokio::select! {
            served = serving => served,
            () = under_way.ended_after(&soft) => Ok(()),
        }
    });
    Ok(bound)
}

#[derive(Clone)]
struct CallerLayer {
    keys: KeyRing,
    metrics: Metrics,
    callers: Callers,
    under_way: UnderWay,
}

impl CallerLayer {
    /// The caller of a method, when the assertion is valid and the service that sent it may call the method.
    fn admit(&self, assertion: &str, method: &str, digest: &Digest) -> Result<Caller, Error> {
        let caller = self.keys.verify(assertion, method, digest)?;
        // The key of the sender has verified the assertion, so its name is true.
        let sender = assertion.split('.').next().unwrap_or_default();
        if may_call(self.callers, sender, method) {
            return Ok(caller);
        }
        tracing::error!(alarm = "caller_not_listed", sender, method, "a service called a method that it may not call");
        Err(Error::unavailable(anyhow::anyhow!("{sender} may not call {method}")))
    }
}

impl CallerLayer {
    /// The request with its verified caller. A message is read whole, because the assertion covers its digest.
    async fn verified(
        &self,
        request: http::Request<Body>,
        method: &str,
    ) -> Result<(http::Request<Body>, Caller), Error> {
        let (mut head, body) = request.into_parts();
        let (digest, body) = if is_upload(method) {
            (Digest::of_a_stream(), body)
        } else {
            let message = Limited::new(body, largest(method)).collect().await;
            let message = message.map_err(|cut| Error::unavailable(anyhow::anyhow!("the message: {cut}")))?.to_bytes();
            (Digest::of(&message), Body::new(Full::new(message)))
        };
        let assertion = head.headers.get(ASSERTION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let caller = self.admit(assertion, method, &digest)?;
        head.extensions.insert(caller.clone());
        Ok((http::Request::from_parts(head, body), caller))
    }
}

impl<S> Layer<S> for CallerLayer {
    type Service = CallerService<S>;
    fn layer(&self, inner: S) -> Self::Service {
        CallerService { inner, layer: self.clone() }
    }
}

/// Verifies the caller, and writes one log line per call.
#[derive(Clone)]
struct CallerService<S> {
    inner: S,
    layer: CallerLayer,
}

impl<S: NamedService> NamedService for CallerService<S> {
    const NAME: &'static str = S::NAME;
}

type Answer = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

impl<S> Service<http::Request<Body>> for CallerService<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let method = request.uri().path().trim_start_matches('/').to_owned();
        if method.starts_with("grpc.health.v1.") {
            return Box::pin(inner.call(request));
        }
        let layer = self.layer.clone();
        let timeout = request.headers().get("grpc-timeout").and_then(|value| value.to_str().ok());
        let budget = timeout.and_then(deadline::parse_grpc_timeout).map_or(MAX_CALL, |given| given.min(MAX_CALL));
        Box::pin(async move {
            let started = Instant::now();
            let (request, caller) = match layer.verified(request, &method).await {
                Ok(verified) => verified,
                Err(error) => {
                    layer.metrics.event("caller_assertion_refused");
                    return Ok(refused(error));
                }
            };
            // A request that is half sent is not waited for when the service stops.
            let _under_way = layer.under_way.guard();
            let ((user, tenant), request_id) = (caller.log_ids(), caller.request_id.clone());
            // Whatever is logged on the way says for which request.
            let span = tracing::info_span!("call", request_id, route = method, tenant);
            let work = AssertUnwindSafe(inner.call(request)).catch_unwind().instrument(span);
            let answer = deadline::within(budget, work);
            let response = match answer.await {
                Ok(response) => response?,
                // Without an answer the caller would take the service for a slow one and try again.
                Err(_panic) => {
                    layer.metrics.event("panic");
                    Status::from(Error::internal(anyhow::anyhow!("{method} panicked"))).into_http()
                }
            };
            let status = response.headers().get("grpc-status").and_then(|v| v.to_str().ok()).unwrap_or("0").to_owned();
            let elapsed = started.elapsed();
            layer.metrics.request(&method, &status, elapsed.as_secs_f64());
            tracing::info!(request_id, route = method, status, ms = millis(elapsed), tenant, user, "call");
            Ok(response)
        })
    }
}

/// The answer to a call whose assertion was refused; the caller's log tells the reason too.
fn refused(error: Error) -> http::Response<Body> {
    let reason = error.source().and_then(|reason| HeaderValue::from_str(&reason.to_string()).ok());
    let mut response = Status::from(error).into_http();
    if let Some(reason) = reason {
        response.headers_mut().insert(REFUSED, reason);
    }
    response
}

fn millis(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, Secret};
    use std::net::Ipv4Addr;

    /// A service with a bug.
    #[derive(Clone)]
    struct Panics;

    impl NamedService for Panics {
        const NAME: &'static str = "songlist.test.Panics";
    }

    impl Service<http::Request<Body>> for Panics {
        type Response = http::Response<Body>;
        type Error = Infallible;
        type Future = Answer;

        fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _request: http::Request<Body>) -> Answer {
            Box::pin(async { panic!("a bug") })
        }
    }

    #[test]
    fn gr_02_and_sf_21_a_method_is_called_by_the_services_that_are_listed_for_it() {
        const TABLE: Callers = &[("gateway", &["a.Users/Get", "a.SignIn/"]), ("scheduler", &["c.JobRunner/Run"])];
        for (caller, method, may) in [
            ("gateway", "a.Users/Get", true),
            ("gateway", "a.Users/GetAll", false),
            ("gateway", "a.SignIn/Start", true),
            ("gateway", "c.JobRunner/Run", false),
            ("scheduler", "c.JobRunner/Run", true),
            ("scheduler", "a.Users/Get", false),
            ("nobody", "a.Users/Get", false),
        ] {
            assert_eq!(may_call(TABLE, caller, method), may, "{caller} {method}");
        }
    }

    #[tokio::test]
    async fn lg_06_a_panic_is_an_internal_error_and_the_next_call_is_served() {
        const KEYS: &str = "gateway>auth=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        let ring = |me: &str| KeyRing::parse(me, &Secret::new(KEYS), Clock::system()).unwrap();
        let shutdown = Shutdown::new();
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let callers: Callers = &[("gateway", &["songlist.test.Panics/"])];
        let server = GrpcServer {
            addr,
            keys: ring("auth"),
            metrics: Metrics::new().unwrap(),
            callers,
            health: Health::default(),
        };
        let bound = serve(server, Routes::new(Panics), &shutdown).await.unwrap();
        let uri = format!("http://{bound}");
        let mut channel = tonic::transport::Endpoint::from_shared(uri.clone()).unwrap().connect_lazy();
        for _ in 0..2 {
            let method = "songlist.test.Panics/Do";
            let assertion = ring("gateway").sign("auth", method, &Digest::of(b""), &Caller::system("gateway")).unwrap();
            let request = http::Request::post(format!("{uri}/{method}")).header(ASSERTION, assertion);
            let request = request.header("content-type", "application/grpc").body(Body::empty()).unwrap();
            std::future::poll_fn(|cx| channel.poll_ready(cx)).await.unwrap();
            let answer = channel.call(request).await.unwrap();
            assert_eq!(answer.headers().get("grpc-status").unwrap(), "13");
        }
        shutdown.stop();
    }
}
