//! The service's own public port, for Razorpay's webhooks without the gateway.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::middleware::DefaultHeaders;
use actix_web::web::{self, Data, Payload};
use actix_web::{App as Actix, HttpRequest, HttpResponse, HttpServer};
use anyhow::Context;
use kit::leaving::UnderWay;
use kit::lifecycle::Shutdown;
use serde_json::json;

use crate::App;
use crate::domain::webhook_events;

/// The largest body in bytes; Razorpay's events have a few KiB.
const MAX_BODY: usize = 256 * 1024;
/// The longest that a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// The most connections: they share the process's files with gRPC and Postgres.
const MAX_CONNECTIONS: usize = 256;
/// The same path as on the gateway.
const PATH: &str = "/api/v1/payments/webhook/razorpay/";

/// Serves the port; returns the bound address. It is not async, because actix's builder is not `Send`.
pub(crate) fn serve(app: &App, addr: SocketAddr, shutdown: &Shutdown) -> anyhow::Result<SocketAddr> {
    let (shared, under_way) = (app.clone(), UnderWay::default());
    let counted = under_way.clone();
    let server = HttpServer::new(move || {
        Actix::new()
            .app_data(Data::new(shared.clone()))
            .app_data(Data::new(counted.clone()))
            .wrap(DefaultHeaders::new().add(("x-content-type-options", "nosniff")).add(("cache-control", "no-store")))
            .service(web::resource([PATH, PATH.trim_end_matches('/')]).route(web::post().to(receive)))
    })
    .workers(1)
    .max_connections(MAX_CONNECTIONS)
    .tcp_nodelay(true)
    .client_request_timeout(Duration::from_secs(5))
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
    let soft = shutdown.soft.clone();
    shutdown.spawn("webhook-port", async move {
        // Somebody may be connected and silent.
        tokio::select! {
            served = running => served,
            () = under_way.ended_after(&soft) => Ok(()),
        }
    });
    Ok(bound)
}

async fn receive(app: Data<App>, calls: Data<UnderWay>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let body = match tokio::time::timeout(BODY_TIMEOUT, payload.to_bytes_limited(MAX_BODY)).await {
        Ok(Ok(Ok(body))) => body,
        Ok(Err(_too_large)) => return HttpResponse::PayloadTooLarge().finish(),
        // Razorpay sends it again.
        Ok(Ok(Err(_))) => return HttpResponse::BadRequest().finish(),
        Err(_elapsed) => return HttpResponse::RequestTimeout().finish(),
    };
    let _under_way = calls.guard();
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    // A request with more than one signature counts as unsigned.
    let signature =
        header("x-razorpay-signature").filter(|_| request.headers().get_all("x-razorpay-signature").count() == 1);
    match webhook_events::receive(&app, &body, signature, header("x-razorpay-event-id")).await {
        Ok(()) => HttpResponse::Ok().json(json!({ "status": "success" })),
        Err(error) => {
            error.log();
            // Razorpay sends an event again after every status except a 2xx; it makes no other difference.
            let status = StatusCode::from_u16(error.kind().http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            HttpResponse::build(status).json(json!({ "status": "error", "code": error.code().name() }))
        }
    }
}
