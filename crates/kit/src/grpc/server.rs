use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tower::{Layer, Service};

use super::ASSERTION;
use crate::caller::KeyRing;
use crate::lifecycle::Shutdown;
use crate::metrics::Metrics;

/// What a gRPC listener needs beside its services.
pub struct GrpcServer {
    pub addr: SocketAddr,
    pub keys: KeyRing,
    pub metrics: Metrics,
}

/// The longest a unary call may take, whatever its caller allows; an import sends its own longer deadline.
const MAX_CALL: Duration = Duration::from_secs(600);

/// Serves the routes; returns the bound address. Health is `grpc.health.v1`, and starts as NOT_SERVING until this returns.
///
/// # Errors
/// When the address cannot be bound.
pub async fn serve(server: GrpcServer, routes: Routes, shutdown: &Shutdown) -> anyhow::Result<SocketAddr> {
    let listener = crate::health::bind(server.addr).await?;
    let bound = listener.local_addr()?;
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status("", tonic_health::ServingStatus::Serving).await;
    let layer = CallerLayer { keys: server.keys, metrics: server.metrics };
    let (soft, draining) = (shutdown.soft.clone(), shutdown.draining.clone());
    let router = Server::builder()
        .timeout(MAX_CALL)
        .concurrency_limit_per_connection(512)
        .http2_keepalive_interval(Some(Duration::from_secs(20)))
        .layer(layer)
        .add_routes(routes.add_service(health));
    // The builder has such a setting too, but it does not reach a listener that was bound before.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    shutdown.spawn("grpc", router.serve_with_incoming_shutdown(incoming, soft.cancelled_owned()));
    tokio::spawn(async move {
        draining.cancelled().await;
        reporter.set_service_status("", tonic_health::ServingStatus::NotServing).await;
    });
    Ok(bound)
}

#[derive(Clone)]
struct CallerLayer {
    keys: KeyRing,
    metrics: Metrics,
}

impl<S> Layer<S> for CallerLayer {
    type Service = CallerService<S>;
    fn layer(&self, inner: S) -> Self::Service {
        CallerService { inner, layer: self.clone() }
    }
}

/// Verifies the caller, and writes the one log line of this hop.
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

    fn call(&mut self, mut request: http::Request<Body>) -> Answer {
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let method = request.uri().path().trim_start_matches('/').to_owned();
        if method.starts_with("grpc.health.v1.") {
            return Box::pin(inner.call(request));
        }
        let assertion = request.headers().get(ASSERTION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let caller = match self.layer.keys.verify(assertion, &method) {
            Ok(caller) => caller,
            Err(error) => {
                self.layer.metrics.event("caller_assertion_refused");
                return Box::pin(async move { Ok(Status::from(error).into_http()) });
            }
        };
        let (user, tenant) = caller.log_ids();
        let request_id = caller.request_id.clone();
        request.extensions_mut().insert(caller);
        let metrics = self.layer.metrics.clone();
        Box::pin(async move {
            let started = Instant::now();
            let response = inner.call(request).await?;
            let status = response.headers().get("grpc-status").and_then(|v| v.to_str().ok()).unwrap_or("0").to_owned();
            let elapsed = started.elapsed();
            metrics.request(&method, &status, elapsed.as_secs_f64());
            tracing::info!(request_id, route = method, status, ms = millis(elapsed), tenant, user, "call");
            Ok(response)
        })
    }
}

fn millis(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 10_000.0).round() / 10.0
}
