//! auth-service owns identity: tenants, users, registrations, sign-in, sessions and the keys that sign tokens.

mod app;
mod config;
mod delivery;
mod domain;
mod grpc;
mod jobs;
pub mod keys;
mod mail;
pub mod mails;
mod peers;
mod schema;
mod seeds;
mod store;
mod superusers;

use std::net::SocketAddr;

use kit::lifecycle::Shutdown;
use kit_pg::migrate::{EmbeddedMigrations, embed_migrations};
use outbox::{Lane, Relay};

pub use app::App;
pub use config::Config;
pub use mail::MailConfig;
pub use seeds::{SeedUser, seed_tenant};
pub use superusers::{NewSuperuser, Superusers};

/// The migrations of the service's schema.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/auth-service");

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
            "songlist.auth.v1.AuditEvents/",
            "songlist.auth.v1.Authenticators/",
            "songlist.auth.v1.DeletedUsers/",
            "songlist.auth.v1.Keys/",
            "songlist.auth.v1.PasswordResets/",
            "songlist.auth.v1.Registrations/",
            "songlist.auth.v1.Revocations/",
            "songlist.auth.v1.Sessions/",
            "songlist.auth.v1.SignIn/",
            "songlist.auth.v1.Tenants/",
            "songlist.auth.v1.Users/ChangePassword",
            "songlist.auth.v1.Users/Count",
            "songlist.auth.v1.Users/Create",
            "songlist.auth.v1.Users/Get",
            "songlist.auth.v1.Users/GetMe",
            "songlist.auth.v1.Users/List",
            "songlist.auth.v1.Users/ListAdmins",
            "songlist.auth.v1.Users/Update",
            "songlist.auth.v1.Users/UpdateMe",
        ],
    ),
    ("songlist", &["songlist.auth.v1.Users/Describe", "songlist.common.v1.EventSink/Deliver"]),
    ("payments", &["songlist.common.v1.EventSink/Deliver"]),
    ("scheduler", &["songlist.common.v1.JobRunner/Run"]),
];

/// Starts the service; returns when it accepts requests.
///
/// # Errors
/// When migrations are pending, the database cannot be reached, or a port is taken.
pub async fn start(config: Config, shutdown: Shutdown) -> anyhow::Result<Addresses> {
    let (grpc_addr, ops_addr) = (config.grpc_addr, config.ops_addr);
    let app = App::new(config).await?;
    kit_pg::migrate::require_current(&app.pg, "auth-service", &MIGRATIONS).await?;
    domain::signing_keys::load_or_create(&app).await?;
    domain::signing_keys::keep_current(&app, &shutdown);
    app.pg.watch(&app.health, &shutdown);
    app.pg.watch_clock(&app.clock, &app.keys, &app.health, &shutdown);
    for lane in [Lane::Only(delivery::MAIL), Lane::AllBut(delivery::MAIL)] {
        let sender = app.clone();
        Relay::new(app.pg.clone(), app.wake.clone(), lane)
            .start(&shutdown, move |message| delivery::deliver(sender.clone(), message));
    }
    domain::revocations::keep_redis_filled(&app, &shutdown);
    domain::old_hashes::watch(&app, &shutdown);
    let server = kit::grpc::GrpcServer {
        addr: grpc_addr,
        keys: app.keys.clone(),
        metrics: app.metrics.clone(),
        callers: CALLERS,
        health: app.health.clone(),
    };
    let grpc = kit::grpc::serve(server, grpc::routes(&app, &shutdown), &shutdown).await?;
    let ops = kit::health::serve(ops_addr, app.health.clone(), app.metrics.clone(), &shutdown).await?;
    Ok(Addresses { grpc, ops })
}
