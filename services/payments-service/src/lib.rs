//! payments-service owns money and premium: payment links at Razorpay, their webhooks, and what a tenant has paid for.

mod app;
mod config;
mod crash;
mod delivery;
mod domain;
mod grpc;
mod jobs;
pub mod operators;
mod peers;
mod razorpay;
mod schema;
mod store;
mod webhook_port;

use std::net::SocketAddr;

use kit::lifecycle::Shutdown;
use kit_pg::migrate::{EmbeddedMigrations, embed_migrations};

pub use app::App;
pub use config::Config;

/// The migrations of the service's schema.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/payments-service");

/// The addresses on which a started service listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub grpc: SocketAddr,
    pub ops: SocketAddr,
    /// The public port for Razorpay's webhooks.
    pub webhook: SocketAddr,
}

/// Which services may call which methods of this one.
const CALLERS: kit::grpc::Callers = &[
    (
        "gateway",
        &["songlist.payments.v1.Payments/", "songlist.payments.v1.Subscriptions/", "songlist.payments.v1.Webhooks/"],
    ),
    ("songlist", &["songlist.payments.v1.Subscriptions/Get"]),
    ("auth", &["songlist.common.v1.EventSink/Deliver"]),
    ("scheduler", &["songlist.common.v1.JobRunner/Run"]),
];

/// Starts the service; returns when it accepts requests.
///
/// # Errors
/// When migrations are pending, the database cannot be reached, or a port is taken.
pub async fn start(config: Config, shutdown: Shutdown) -> anyhow::Result<Addresses> {
    let (grpc_addr, ops_addr, webhook_addr) = (config.grpc_addr, config.ops_addr, config.webhook_addr);
    let app = App::new(config)?;
    kit_pg::migrate::require_current(&app.pg, "payments-service", &MIGRATIONS).await?;
    app.pg.watch(&app.health, &shutdown);
    app.pg.watch_clock(&app.clock, &app.keys, &app.health, &shutdown);
    // Copies of the audit log have a lane of their own: they must not delay what others wait for.
    for lane in [outbox::Lane::Only(&[audit::TOPIC]), outbox::Lane::AllBut(&[audit::TOPIC])] {
        let app = app.clone();
        outbox::Relay::new(app.pg.clone(), app.wake.clone(), lane)
            .start(&shutdown, move |message| delivery::deliver(app.clone(), message));
    }
    domain::webhook_events::keep_applying(&app, &shutdown);
    let server = kit::grpc::GrpcServer {
        addr: grpc_addr,
        keys: app.keys.clone(),
        metrics: app.metrics.clone(),
        callers: CALLERS,
        health: app.health.clone(),
    };
    let grpc = kit::grpc::serve(server, grpc::routes(&app), &shutdown).await?;
    let webhook = webhook_port::serve(&app, webhook_addr, &shutdown)?;
    let ops = kit::health::serve(ops_addr, app.health.clone(), app.metrics.clone(), &shutdown).await?;
    Ok(Addresses { grpc, ops, webhook })
}
