//! `/healthz`, `/readyz` and `/metrics` on a separate port that is never public.
//!
//! A service is ready while its own parts are up. The state of peers and Redis is shown in the body but does not
//! decide: otherwise one outage would make every replica unready.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::leaving::UnderWay;
use crate::lifecycle::Shutdown;
use crate::metrics::Metrics;

/// Failures in a row before a part counts as down.
const HYSTERESIS: u32 = 3;
/// The longest that one check may take.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug)]
struct Part {
    own: bool,
    up: bool,
    failures: u32,
}

/// The state of a service's parts. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<BTreeMap<&'static str, Part>>>);

impl Health {
    /// Adds a part that decides about readiness; it counts as down until a check succeeds.
    pub fn own(&self, name: &'static str) {
        self.set(name, Part { own: true, up: false, failures: 0 });
    }

    fn set(&self, name: &'static str, part: Part) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, part);
    }

    /// Records the result of a check. A part is down after three failures in a row, and up after one success.
    pub fn seen(&self, name: &'static str, up: bool) {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let part = parts.entry(name).or_insert(Part { own: false, up: false, failures: 0 });
        part.failures = if up { 0 } else { part.failures.saturating_add(1) };
        part.up = up || (part.up && part.failures < HYSTERESIS);
    }

    /// True while every part that decides about readiness is up.
    pub fn ready(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().all(|part| part.up || !part.own)
    }

    /// The state as `/readyz` shows it.
    pub fn report(&self, draining: bool) -> (bool, Value) {
        let ready = self.ready() && !draining;
        let parts: BTreeMap<_, _> = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|(name, part)| (*name, if part.up { "up" } else { "down" }))
            .collect();
        (ready, json!({ "ready": ready, "draining": draining, "parts": parts }))
    }

    /// Checks a part every second.
    pub fn watch<F, Fut>(&self, shutdown: &Shutdown, name: &'static str, mut look: F)
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        let health = self.clone();
        shutdown.every("health", Duration::from_secs(1), move || {
            let (look, health) = (look(), health.clone());
            // A part that accepts connections and never answers is down.
            async move { health.seen(name, tokio::time::timeout(PATIENCE, look).await.unwrap_or(false)) }
        });
    }
}

#[derive(Clone)]
struct Ops {
    health: Health,
    metrics: Metrics,
    shutdown: Shutdown,
}

/// Serves the internal port; returns the bound address.
///
/// # Errors
/// When the address cannot be bound; the message names it.
pub async fn serve(
    addr: SocketAddr,
    health: Health,
    metrics: Metrics,
    shutdown: &Shutdown,
) -> anyhow::Result<SocketAddr> {
    let listener = bind(addr).await?;
    let bound = listener.local_addr()?;
    let ops = Ops { health, metrics, shutdown: shutdown.clone() };
    let router = Router::new()
        .route("/healthz", get(async || Json(json!({ "alive": true }))))
        .route("/readyz", get(readyz))
        .route("/metrics", get(async |State(ops): State<Ops>| ops.metrics.render()))
        .with_state(ops);
    let soft = shutdown.soft.clone();
    shutdown.spawn("ops", async move {
        let serving = axum::serve(listener, router).with_graceful_shutdown(soft.clone().cancelled_owned());
        // Somebody may be connected and silent.
        let nothing = UnderWay::default();
        tokio::select! {
            served = serving => served,
            () = nothing.ended_after(&soft) => Ok(()),
        }
    });
    Ok(bound)
}

async fn readyz(State(ops): State<Ops>) -> (StatusCode, Json<Value>) {
    let (ready, body) = ops.health.report(ops.shutdown.draining.is_cancelled());
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body))
}

/// Binds a port; the error names the address.
///
/// # Errors
/// When the address cannot be bound.
pub async fn bind(addr: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr).await.map_err(|error| anyhow::anyhow!("cannot listen on {addr}: {error}"))
}
