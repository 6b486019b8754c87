//! scheduler-service decides when recurring work runs. It contains no business code: for a due job it calls the service
//! that owns the work.

mod app;
mod config;
mod domain;
mod grpc;
mod peers;
mod schema;
mod store;

use std::net::SocketAddr;

use kit::lifecycle::Shutdown;
use kit_pg::migrate::{EmbeddedMigrations, embed_migrations};

pub use app::App;
pub use config::Config;

/// The migrations of the service's schema.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/scheduler-service");

/// The addresses on which a started service listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub grpc: SocketAddr,
    pub ops: SocketAddr,
}

/// Which services may call which methods of this one.
const CALLERS: kit::grpc::Callers =
    &[("gateway", &["songlist.scheduler.v1.Jobs/"]), ("cli", &["songlist.scheduler.v1.Jobs/"])];

/// Starts the service; returns when it accepts requests.
///
/// # Errors
/// When migrations are pending, the database cannot be reached, or a port is taken.
pub async fn start(config: Config, shutdown: Shutdown) -> anyhow::Result<Addresses> {
    let (grpc_addr, ops_addr) = (config.grpc_addr, config.ops_addr);
    let app = App::new(config)?;
    kit_pg::migrate::require_current(&app.pg, "scheduler-service", &MIGRATIONS).await?;
    app.pg.watch(&app.health, &shutdown);
    app.pg.watch_clock(&kit::Clock::system(), &app.keys, &app.health, &shutdown);
    domain::jobs::register(&app).await?;
    domain::leader::lead(&app, &shutdown);
    let server = kit::grpc::GrpcServer {
        addr: grpc_addr,
        keys: app.keys.clone(),
        metrics: app.metrics.clone(),
        callers: CALLERS,
        health: app.health.clone(),
    };
    let grpc = kit::grpc::serve(server, grpc::routes(&app), &shutdown).await?;
    let ops = kit::health::serve(ops_addr, app.health.clone(), app.metrics.clone(), &shutdown).await?;
    Ok(Addresses { grpc, ops })
}
