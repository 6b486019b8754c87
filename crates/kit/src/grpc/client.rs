use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderValue;
use http::request::Parts;
use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tonic::{Request, Status};
use tower::{BoxError, Service};

use super::attempt::Outcome;
use super::replicas::{Chosen, Replicas};
use super::retry_tokens::RetryTokens;
use super::targets::Targets;
use super::{ASSERTION, REFUSED, is_upload, watching};
use crate::assertion::{Digest, EXPIRED, KeyRing};
use crate::caller::Caller;
use crate::metrics::Metrics;
use crate::{Error, deadline};

/// The most attempts at one call.
const ATTEMPTS: usize = 3;
/// Before an attempt that follows a failure, a random time up to this passes, so that retries of many callers spread.
const JITTER_MS: u64 = 20;
/// How long a call waits for the first look-up of a name.
const FIRST_LOOK_UP: Duration = Duration::from_secs(2);
/// A call with less time than this says nothing about the replica when it is late.
const SHORT: Duration = Duration::from_millis(500);
/// gRPC's header with the time that is left for a call.
const TIMEOUT: &str = "grpc-timeout";

/// What a service needs to call others.
#[derive(Clone)]
pub struct Dialer {
    keys: KeyRing,
    metrics: Metrics,
    without_effect: &'static [&'static str],
}

impl Dialer {
    /// `without_effect` are the methods (`package.Service/Method`) that change nothing, in order: only these are tried again
    /// after a call may have reached a replica, besides requests with an idempotency key.
    pub fn new(keys: &KeyRing, metrics: &Metrics, without_effect: &'static [&'static str]) -> Self {
        Self { keys: keys.clone(), metrics: metrics.clone(), without_effect }
    }

    /// A client of the service that is reached at `targets`.
    pub fn connect(&self, audience: &'static str, targets: &Targets) -> Peer {
        let replicas = Arc::new(Replicas::new(audience, self.metrics.clone()));
        watching::start(&replicas, targets.clone());
        Peer { audience, replicas, dialer: self.clone(), tokens: Arc::default() }
    }
}

/// A client of another service: spreads calls over its replicas, signs the caller and the message of every call, and tries
/// again where that is safe. Clones share connections and budget.
#[derive(Clone)]
pub struct Peer {
    audience: &'static str,
    replicas: Arc<Replicas>,
    dialer: Dialer,
    tokens: Arc<RetryTokens>,
}

impl Service<http::Request<Body>> for Peer {
    type Response = http::Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let peer = self.clone();
        Box::pin(async move { peer.send(request).await })
    }
}

impl Peer {
    async fn send(&self, request: http::Request<Body>) -> Result<http::Response<Body>, BoxError> {
        let mut call = Call::signed(request, self).await.map_err(Status::from)?;
        let mut tried: Vec<SocketAddr> = Vec::new();
        loop {
            let Some(chosen) = self.pick(&tried).await else {
                let unknown = anyhow::anyhow!("no address of {} is known", self.audience);
                return Err(Status::from(Error::unavailable(unknown)).into());
            };
            tried.push(chosen.replica.addr);
            let outcome = chosen.send(&mut call).await;
            self.replicas.ended(&chosen.replica, &outcome);
            self.tell(&call, &outcome);
            if tried.len() >= ATTEMPTS || !self.may_try_again(&call, &tried, &chosen, &outcome) || !call.is_in_time() {
                return outcome.into_result();
            }
            if matches!(outcome, Outcome::Unavailable(_) | Outcome::Broken(_)) {
                tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=JITTER_MS))).await;
            }
        }
    }

    async fn pick(&self, tried: &[SocketAddr]) -> Option<Chosen> {
        if let Some(chosen) = self.replicas.pick(tried) {
            return Some(chosen);
        }
        let patience = deadline::remaining().unwrap_or(FIRST_LOOK_UP).min(FIRST_LOOK_UP);
        tokio::time::timeout(patience, self.replicas.known()).await.ok()?;
        self.replicas.pick(tried)
    }

    /// Whether another attempt does no harm: neither to the data nor to a service that has too much to do.
    fn may_try_again(&self, call: &Call, tried: &[SocketAddr], chosen: &Chosen, outcome: &Outcome) -> bool {
        let peers = &self.dialer.metrics.peers;
        let elsewhere = self.replicas.has_other(tried);
        match outcome {
            Outcome::Answered(_) => {
                self.tokens.succeeded();
                false
            }
            Outcome::NeverSent { cannot_connect, .. } => {
                // One that was left a moment ago may be back: to ask it costs nothing.
                let again = call.is_repeatable() && (self.replicas.lists_other(tried) || !cannot_connect);
                if again {
                    peers.retry(self.audience, "never_sent");
                }
                again
            }
            // An answer to a change is an answer: the replica may have done a part, or asked somebody who is down.
            Outcome::Unavailable(_) if !call.without_effect => {
                self.tokens.failed();
                false
            }
            Outcome::Unavailable(_) | Outcome::Broken(_) => {
                let safe = call.is_repeatable() && (call.without_effect || call.keyed);
                // The calls under way when a replica dies are lost together, and are one failure however many they are.
                let allowed = if outcome.is_lost_connection() {
                    chosen.may_repeat_lost(|| self.tokens.failed())
                } else {
                    self.tokens.failed()
                };
                if safe && elsewhere {
                    peers.retry(self.audience, if allowed { "failed" } else { "over_budget" });
                }
                safe && elsewhere && allowed
            }
            // There are few of these calls, and the replica gets no more, so they need no budget.
            Outcome::GivenUp => {
                let again = call.is_repeatable() && (call.without_effect || call.keyed) && elsewhere;
                if again {
                    peers.retry(self.audience, "given_up");
                }
                again
            }
            Outcome::Late { .. } => {
                self.tokens.failed();
                false
            }
        }
    }

    /// The cause of a refused assertion belongs into the log of both sides.
    fn tell(&self, call: &Call, outcome: &Outcome) {
        let Outcome::Unavailable(response) = outcome else { return };
        let Some(reason) = response.headers().get(REFUSED).and_then(|value| value.to_str().ok()) else { return };
        if reason.contains(EXPIRED) {
            self.dialer.keys.note_expired();
        }
        let (peer, method, request_id) = (self.audience, &call.method, &call.request_id);
        self.dialer.metrics.event("own_assertion_refused");
        tracing::error!(alarm = "own_assertion_refused", peer, method, request_id, reason, "a peer refused a call");
    }
}

impl Chosen {
    /// One attempt. Its time includes connecting and reading a whole answer: a replica may freeze in the middle of one.
    async fn send(&self, call: &mut Call) -> Outcome {
        let in_a_hurry = call.until.is_some_and(|until| until < self.began + SHORT);
        let (until, request) = (call.until, call.request());
        let over = async {
            match until {
                Some(until) => tokio::time::sleep_until(until.into()).await,
                None => std::future::pending().await,
            }
        };
        let mut channel = self.replica.channel.clone();
        let answer = async {
            std::future::poll_fn(|cx| channel.poll_ready(cx)).await.map_err(Outcome::failed)?;
            let response = channel.call(request).await.map_err(Outcome::failed)?;
            if until.is_none() {
                return Ok(response);
            }
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(|broken| Outcome::Broken(broken.into()))?;
            Ok(http::Response::from_parts(head, Body::new(body)))
        };
        tokio::select! {
            biased;
            // An answer that has arrived counts, however late this process looks.
            result = answer => result.map_or_else(|failed| failed, Outcome::answered).hurried(in_a_hurry),
            () = over => Outcome::late(in_a_hurry, Status::deadline_exceeded("the time of the call is over").into()),
            () = self.given_up.cancelled() => Outcome::GivenUp,
        }
    }
}

/// A call as it is sent, perhaps several times.
struct Call {
    method: String,
    request_id: String,
    head: Parts,
    /// `None` for an upload, which is a stream and can be sent once.
    message: Option<Bytes>,
    stream: Option<Body>,
    until: Option<Instant>,
    without_effect: bool,
    keyed: bool,
}

impl Call {
    /// Adds the assertion to a request. A message is read whole for its digest; an upload is a stream and has none.
    async fn signed(request: http::Request<Body>, peer: &Peer) -> Result<Self, Error> {
        let (mut head, body) = request.into_parts();
        let method = head.uri.path().trim_start_matches('/').to_owned();
        let Some(caller) = head.extensions.get::<Caller>() else {
            return Err(Error::internal(anyhow::anyhow!("a call was made without grpc::call")));
        };
        let (request_id, keyed) = (caller.request_id.clone(), caller.idempotency.is_some());
        let (digest, message, stream) = if is_upload(&method) {
            (Digest::of_a_stream(), None, Some(body))
        } else {
            let message = body.collect().await.map_err(Error::internal)?.to_bytes();
            (Digest::of(&message), Some(message), None)
        };
        let assertion = peer.dialer.keys.sign(peer.audience, &method, &digest, caller)?;
        head.headers.insert(ASSERTION, HeaderValue::from_str(&assertion).map_err(Error::internal)?);
        let budget = head.headers.get(TIMEOUT).and_then(|value| value.to_str().ok());
        let until = budget.and_then(deadline::parse_grpc_timeout).map(|budget| Instant::now() + budget);
        let without_effect = peer.dialer.without_effect.binary_search(&method.as_str()).is_ok();
        Ok(Self { method, request_id, head, message, stream, until, without_effect, keyed })
    }

    /// The request for one more attempt, with the time that is left.
    fn request(&mut self) -> http::Request<Body> {
        let mut head = self.head.clone();
        if let Some(left) = self.until.map(|until| until.saturating_duration_since(Instant::now()))
            && let Ok(value) = HeaderValue::from_str(&deadline::grpc_timeout(left))
        {
            head.headers.insert(TIMEOUT, value);
        }
        let body = match &self.message {
            Some(message) => Body::new(Full::new(message.clone())),
            None => self.stream.take().unwrap_or_default(),
        };
        http::Request::from_parts(head, body)
    }

    fn is_repeatable(&self) -> bool {
        self.message.is_some()
    }

    fn is_in_time(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }
}

/// A request with its caller and a deadline of `budget` from now, or the one of the request that is being handled when that
/// is earlier.
pub fn call<T>(caller: &Caller, budget: Duration, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(deadline::remaining().map_or(budget, |left| left.min(budget)));
    request.extensions_mut().insert(caller.clone());
    request
}

/// A request for a stream without an end, with its caller and without a deadline.
pub fn stream<T>(caller: &Caller, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(caller.clone());
    request
}
