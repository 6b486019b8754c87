//! Metrics of one running service, in a registry of its own: two services in one test process do not share them.

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder};

/// The metrics every service has. Clones share one registry.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    /// Seconds per request by route (or gRPC method) and status.
    pub requests: HistogramVec,
    /// Events that need an alarm or an investigation, by name.
    pub events: IntCounterVec,
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
        Ok(Self { registry, requests, events })
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
