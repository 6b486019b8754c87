use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::middleware::{Compress, DefaultHeaders};
use actix_web::web::{self, ServiceConfig};
use actix_web::{App as Actix, HttpRequest, HttpServer};
use anyhow::Context;
use kit::lifecycle::Shutdown;

use crate::app::App;
use crate::http::dispatch::{Route, not_found};
use crate::http::rule::Rule;

/// A client that has not sent its headers within this time is disconnected.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves the routes of the rules; returns the bound address. Not async, because actix's builder is not `Send`.
pub(crate) fn serve(
    app: &App,
    rules: &[&'static Rule],
    addr: SocketAddr,
    shutdown: &Shutdown,
) -> anyhow::Result<SocketAddr> {
    let (factory_app, factory_rules, workers) = (app.clone(), rules.to_vec(), app.config.workers.max(1));
    let server = HttpServer::new(move || {
        let app = factory_app.for_this_thread().unwrap_or_else(|_known_good| factory_app.clone());
        Actix::new()
            .wrap(Compress::default())
            .wrap(cors(&app))
            .wrap(security_headers())
            .configure(|config| routes(config, &app, &factory_rules))
            .default_service(web::to({
                let app = app.clone();
                move |request: HttpRequest| not_found(app.clone(), request)
            }))
    })
    .workers(workers)
    .client_request_timeout(HEADER_TIMEOUT)
    // A compressed answer is written in pieces; without this each waits 40 ms for the client's delayed acknowledgement.
    .tcp_nodelay(true)
    // The grace of the whole gateway decides, see `kit::lifecycle`.
    .shutdown_timeout(600)
    .disable_signals()
    .bind(addr)
    .with_context(|| format!("cannot listen on {addr}"))?;
    let bound = server.addrs().first().copied().context("the server has no address")?;
    let running = server.run();
    let (handle, soft, hard) = (running.handle(), shutdown.soft.clone(), shutdown.hard.clone());
    tokio::spawn(async move {
        let graceful = tokio::select! {
            () = soft.cancelled() => true,
            () = hard.cancelled() => false,
        };
        handle.stop(graceful).await;
    });
    let (under_way, soft) = (app.under_way.clone(), shutdown.soft.clone());
    shutdown.spawn("http", async move {
        // A client that is connected and silent must not hold up the end.
        tokio::select! {
            served = running => served,
            () = under_way.ended_after(&soft) => Ok(()),
        }
    });
    Ok(bound)
}

/// One actix resource per path, with and without its final slash.
fn routes(config: &mut ServiceConfig, app: &App, rules: &[&'static Rule]) {
    let mut paths: BTreeMap<String, Vec<&'static Rule>> = BTreeMap::new();
    for rule in rules {
        paths.entry(rule.full_path()).or_default().push(rule);
    }
    // Actix takes the first resource that matches, so paths with fixed segments come before those with parameters.
    let mut paths: Vec<_> = paths.into_iter().collect();
    paths.sort_by_key(|(path, _)| path.split('/').map(|part| part.starts_with('{')).collect::<Vec<_>>());
    for (path, rules) in paths {
        let route = Route { app: app.clone(), rules };
        let bare = path.trim_end_matches('/').to_owned();
        config.service(web::resource([path, bare]).to(move |request: HttpRequest, payload: web::Payload| {
            route.clone().handle(request, payload.into_inner())
        }));
    }
}

fn cors(app: &App) -> Cors {
    let mut cors = Cors::default()
        .allowed_methods(["GET", "POST", "PATCH", "DELETE"])
        .allowed_headers([
            "authorization",
            "content-type",
            "idempotency-key",
            "if-match",
            "if-none-match",
            "x-request-id",
        ])
        .expose_headers(["etag", "link", "location", "retry-after", "x-request-id", "idempotency-replayed"])
        .max_age(600);
    for origin in &app.config.cors_origins {
        cors = cors.allowed_origin(origin);
    }
    cors
}

fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("x-content-type-options", "nosniff"))
        .add(("strict-transport-security", "max-age=31536000; includeSubDomains"))
        .add(("referrer-policy", "no-referrer"))
        .add(("content-security-policy", "default-src 'none'; frame-ancestors 'none'"))
}
