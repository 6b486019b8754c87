//! A replica of a service with one method that reads and one that writes, behind a link that breaks.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails its test")]

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures_util::stream;
use http_body_util::StreamBody;
use kit::assertion::{DEV_PAIRS, KeyRing};
use kit::caller::Caller;
use kit::grpc::{Callers, Dialer, GrpcServer, Peer, Targets};
use kit::health::Health;
use kit::lifecycle::Shutdown;
use kit::metrics::Metrics;
use kit::{Clock, Secret};
use testkit::FaultyLink;
use tokio::sync::watch;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

const CALLERS: Callers = &[("gateway", &["songlist.test.Songs/"])];
pub(crate) const READ: &str = "songlist.test.Songs/Get";
pub(crate) const WRITE: &str = "songlist.test.Songs/Create";

fn keys(me: &str, clock: Clock) -> KeyRing {
    KeyRing::parse(me, &Secret::new(DEV_PAIRS), clock).unwrap()
}

pub(crate) struct Replica {
    pub(crate) addr: SocketAddr,
    pub(crate) link: FaultyLink,
    pub(crate) shutdown: Shutdown,
    pub(crate) health: Health,
    pub(crate) keys: KeyRing,
    /// The calls that arrived.
    pub(crate) calls: Arc<AtomicUsize>,
    /// Answers UNAVAILABLE while set.
    pub(crate) sick: Arc<AtomicBool>,
    /// Breaks off each answer by itself while set.
    pub(crate) torn: Arc<AtomicBool>,
    /// Answers nothing while set.
    pub(crate) silent: Arc<watch::Sender<bool>>,
}

impl Replica {
    pub(crate) async fn start() -> Self {
        Self::start_with(Clock::system()).await
    }

    pub(crate) async fn start_with(clock: Clock) -> Self {
        let keys = keys("songlist", clock);
        let (shutdown, health) = (Shutdown::new(), Health::default());
        let (calls, sick) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (torn, silent) = (Arc::new(AtomicBool::new(false)), Arc::new(watch::Sender::new(false)));
        let server = GrpcServer {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            keys: keys.clone(),
            metrics: Metrics::new().unwrap(),
            callers: CALLERS,
            health: health.clone(),
        };
        let songs = Songs { calls: calls.clone(), sick: sick.clone(), torn: torn.clone(), silent: silent.clone() };
        let addr = kit::grpc::serve(server, tonic::service::Routes::new(songs), &shutdown).await.unwrap();
        let link = FaultyLink::to(addr.to_string()).await.unwrap();
        Self { addr, link, shutdown, health, keys, calls, sick, torn, silent }
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

#[derive(Clone)]
struct Songs {
    calls: Arc<AtomicUsize>,
    sick: Arc<AtomicBool>,
    torn: Arc<AtomicBool>,
    silent: Arc<watch::Sender<bool>>,
}

impl NamedService for Songs {
    const NAME: &'static str = "songlist.test.Songs";
}

impl Service<http::Request<Body>> for Songs {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: http::Request<Body>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let status = if self.sick.load(Ordering::Relaxed) { "14" } else { "0" };
        let head = http::Response::builder().header("content-type", "application/grpc").header("grpc-status", status);
        let (mut silent, torn) = (self.silent.subscribe(), self.torn.clone());
        Box::pin(async move {
            silent.wait_for(|silent| !silent).await.unwrap();
            let breaks_off = || StreamBody::new(stream::iter([Err(tonic::Status::internal("torn"))]));
            let body = if torn.load(Ordering::Relaxed) { Body::new(breaks_off()) } else { Body::empty() };
            Ok(head.body(body).unwrap())
        })
    }
}

/// A client of replicas.
#[derive(Clone)]
pub(crate) struct Client {
    peer: Peer,
    pub(crate) metrics: Metrics,
}

impl Client {
    pub(crate) fn through_links(replicas: &[Replica]) -> Self {
        Self::of(replicas.iter().map(|replica| replica.link.addr()))
    }

    /// Without the links: a link accepts connections while the replica behind it is gone.
    pub(crate) fn direct(replicas: &[Replica]) -> Self {
        Self::of(replicas.iter().map(|replica| replica.addr))
    }

    /// Of these addresses.
    pub(crate) fn at(addresses: &[SocketAddr]) -> Self {
        Self::of(addresses.iter().copied())
    }

    /// Of the addresses that a name stands for, which change.
    pub(crate) fn by_name(addresses: &Arc<Mutex<Vec<SocketAddr>>>) -> Self {
        Self::to(&Targets::changing(addresses))
    }

    fn of(addresses: impl Iterator<Item = SocketAddr>) -> Self {
        let urls: Vec<String> = addresses.map(|addr| format!("http://{addr}")).collect();
        Self::to(&Targets::parse(&urls.join(",")).unwrap())
    }

    fn to(targets: &Targets) -> Self {
        let metrics = Metrics::new().unwrap();
        let dialer = Dialer::new(&keys("gateway", Clock::system()), &metrics, &[READ]);
        Self { peer: dialer.connect("songlist", targets), metrics }
    }

    /// Calls a method with a budget of two seconds; true when it succeeded.
    pub(crate) async fn call(&self, method: &str) -> bool {
        self.call_as(method, Caller::system("gateway")).await
    }

    pub(crate) async fn call_as(&self, method: &str, caller: Caller) -> bool {
        let request = http::Request::post(format!("http://songlist/{method}")).header("grpc-timeout", "2S");
        let mut request = request.header("content-type", "application/grpc").body(Body::empty()).unwrap();
        request.extensions_mut().insert(caller);
        let answer = self.peer.clone().call(request).await;
        answer.is_ok_and(|answer| answer.headers().get("grpc-status").unwrap() == "0")
    }

    /// Waits until the client knows of so many replicas that they serve.
    pub(crate) async fn knows(&self, serving: usize) {
        let what = format!("{serving} replicas serve");
        testkit::eventually(&what, async || (self.serving() == serving).then_some(())).await;
    }

    fn serving(&self) -> usize {
        self.metrics.render().lines().filter(|line| is_available(line)).count()
    }
}

fn is_available(line: &str) -> bool {
    line.starts_with("peer_replica_available{") && line.ends_with(" 1")
}
