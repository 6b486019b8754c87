//! Metrics of one running service, in a registry of its own: two services in one test process do not share them.

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

/// The metrics every service has. Clones share one registry.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    /// Seconds per request by route (or gRPC method) and status.
    pub requests: HistogramVec,
    /// Events that need an alarm or an investigation, by name.
    pub events: IntCounterVec,
    /// Calls to other services.
    pub peers: PeerMetrics,
}

/// What became of calls to the replicas of other services.
#[derive(Clone, Debug)]
pub struct PeerMetrics {
    calls: IntCounterVec,
    available: IntGaugeVec,
    retries: IntCounterVec,
}

/// The outcomes of an attempt.
const OUTCOMES: [&str; 6] = ["answered", "unavailable", "never_sent", "broken", "given_up", "late"];

impl PeerMetrics {
    fn new(registry: &Registry) -> anyhow::Result<Self> {
        let calls = Opts::new("peer_calls_total", "Attempts at calls by service, replica and outcome");
        let available = Opts::new("peer_replica_available", "How many clients of this process send calls to a replica");
        let retries = Opts::new("peer_retries_total", "Further attempts at calls by service and reason");
        let metrics = Self {
            calls: IntCounterVec::new(calls, &["peer", "replica", "outcome"])?,
            available: IntGaugeVec::new(available, &["peer", "replica"])?,
            retries: IntCounterVec::new(retries, &["peer", "reason"])?,
        };
        registry.register(Box::new(metrics.calls.clone()))?;
        registry.register(Box::new(metrics.available.clone()))?;
        registry.register(Box::new(metrics.retries.clone()))?;
        Ok(metrics)
    }

    pub(crate) fn call(&self, peer: &str, replica: &str, outcome: &str) {
        self.calls.with_label_values(&[peer, replica, outcome]).inc();
    }

    /// A client of this process begins (1) or ceases (-1) to send calls to a replica, or knows of it (0).
    pub(crate) fn available(&self, peer: &str, replica: &str, change: i64) {
        self.available.with_label_values(&[peer, replica]).add(change);
    }

    pub(crate) fn retry(&self, peer: &str, reason: &str) {
        self.retries.with_label_values(&[peer, reason]).inc();
    }

    /// Removes a replica that exists no more: addresses come and go, and each would stay in memory.
    pub(crate) fn forget(&self, peer: &str, replica: &str) {
        // Another client of this process may not have noticed yet.
        if self.available.with_label_values(&[peer, replica]).get() > 0 {
            return;
        }
        let _ = self.available.remove_label_values(&[peer, replica]);
        for outcome in OUTCOMES {
            let _ = self.calls.remove_label_values(&[peer, replica, outcome]);
        }
    }
}

impl Metrics {
    /// # Errors
    /// When a metric cannot be registered, which is a bug.
    pub fn new() -> anyhow::Result<Self> {
        let registry = Registry::new();
        let requests = HistogramVec::new(
            HistogramOpts::new("request_seconds", "Seconds per request")
                .buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0]),
            &["route", "status"],
        )?;
        let events = IntCounterVec::new(Opts::new("events_total", "Events by name"), &["event"])?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(events.clone()))?;
        let peers = PeerMetrics::new(&registry)?;
        Ok(Self { registry, requests, events, peers })
    }

    /// Counts one request.
    pub fn request(&self, route: &str, status: &str, seconds: f64) {
        self.requests.with_label_values(&[route, status]).observe(seconds);
    }

    /// Counts one event.
    pub fn event(&self, name: &str) {
        self.events.with_label_values(&[name]).inc();
    }

    /// The Prometheus text format.
    pub fn render(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }
}
