//! songlist-service owns genres, the song catalogue, each tenant's list of songs, playlists and song requests.

mod app;
mod config;
mod delivery;
mod domain;
mod generate;
mod grpc;
mod jobs;
mod media;
mod peers;
mod schema;
mod seeds;
mod store;

use std::net::SocketAddr;

use kit::lifecycle::Shutdown;
use kit_pg::migrate::{EmbeddedMigrations, embed_migrations};

pub use app::App;
pub use config::Config;
pub use domain::imports::{Format as ImportFormat, Options as ImportOptions, Report as ImportReport};
pub use generate::{Catalogue, generate};
pub use seeds::{import_songs, seed_genres, seed_songs};

/// The migrations of the service's schema.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/songlist-service");

/// The addresses on which a started service listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub grpc: SocketAddr,
    pub ops: SocketAddr,
}

/// Which services may call which methods of this one.
const CALLERS: kit::grpc::Callers = &[
    (
        "gateway",
        &[
            "songlist.songlist.v1.Genres/",
            "songlist.songlist.v1.Media/",
            "songlist.songlist.v1.Playlists/",
            "songlist.songlist.v1.SongRequests/",
            "songlist.songlist.v1.Songs/",
            "songlist.songlist.v1.TenantSongs/",
        ],
    ),
    ("auth", &["songlist.common.v1.EventSink/Deliver"]),
    ("payments", &["songlist.common.v1.EventSink/Deliver"]),
    ("scheduler", &["songlist.common.v1.JobRunner/Run"]),
];

/// Starts the service; returns when it accepts requests.
///
/// # Errors
/// When migrations are pending, the database cannot be reached, or a port is taken.
pub async fn start(config: Config, shutdown: Shutdown) -> anyhow::Result<Addresses> {
    let (grpc_addr, ops_addr) = (config.grpc_addr, config.ops_addr);
    let app = App::new(config)?;
    kit_pg::migrate::require_current(&app.pg, "songlist-service", &MIGRATIONS).await?;
    app.pg.watch(&app.health, &shutdown);
    app.pg.watch_clock(&app.clock, &app.keys, &app.health, &shutdown);
    // Copies of the audit log have a lane of their own: they must not delay what others wait for.
    for lane in [outbox::Lane::Only(&[audit::TOPIC]), outbox::Lane::AllBut(&[audit::TOPIC])] {
        let app = app.clone();
        outbox::Relay::new(app.pg.clone(), app.wake.clone(), lane)
            .start(&shutdown, move |message| delivery::deliver(app.clone(), message));
    }
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
