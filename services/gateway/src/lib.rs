//! The gateway: the public entry of the API. It serves HTTP, validates tokens, calls the service that owns the data, and puts
//! the answer into the envelopes of the API. It has no business rules: it may reject a request early, but the owning service
//! decides.
//!
//! Modules, each using only those before it: `http` (how a request is checked and answered), `routes` (rules, handlers
//! and JSON views of each resource), `policy` (the table of all rules, its checks, and the documents made from it).

mod app;
mod config;
mod http;
mod peers;
mod policy;
mod revocations;
mod routes;
mod signing_keys;

use std::net::SocketAddr;

use kit::lifecycle::Shutdown;

pub use config::Config;
pub use http::param::Param;
pub use http::rule::{Access, Body, Method, Rule};
pub use policy::{errors_table, openapi_document, permissions_table, rules};

/// The addresses on which a started gateway listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub http: SocketAddr,
    pub ops: SocketAddr,
}

/// Starts the gateway; returns when it listens. It is ready once it has the signing keys and the revocations.
///
/// # Errors
/// When an address cannot be parsed or a port is taken.
pub async fn start(config: Config, shutdown: Shutdown) -> anyhow::Result<Addresses> {
    tokens::install()?;
    let (http_addr, ops_addr) = (config.http_addr, config.ops_addr);
    let openapi = serde_json::to_vec(&openapi_document(&config.public_url))?.into();
    let app = app::App::new(config, openapi, shutdown.draining.clone())?;
    app.health.own("signing_keys");
    app.signing_keys.keep_current(&app.health, &shutdown);
    app.revocations.follow(app.peers.revocations(), &app.health, &shutdown);
    let redis = app.redis.clone();
    kit::clock_offset::watch(&app.health, &app.config.clock, &app.config.keys, &shutdown, move || {
        let redis = redis.clone();
        async move { redis.time().await }
    });
    let http = http::server::serve(&app, &rules().collect::<Vec<_>>(), http_addr, &shutdown)?;
    let ops = kit::health::serve(ops_addr, app.health.clone(), app.metrics.clone(), &shutdown).await?;
    Ok(Addresses { http, ops })
}
