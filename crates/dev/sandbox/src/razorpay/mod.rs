//! Razorpay for development and tests: links, orders, payments, refunds and settlements over its REST API with Basic auth, a hosted
//! page on which a payment succeeds or fails, signed webhooks with its retry intervals by a clock that can be moved, and a control
//! API that plans what goes wrong and shows what really happened.

mod api;
mod chaos;
mod control;
mod entities;
mod links;
mod orders;
mod page;
mod paying;
mod refunds;
mod settlements;
mod signature;
mod store;
mod webhooks;

use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::DATE;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use kit::lifecycle::Shutdown;

pub use store::{Razorpay, RazorpayOptions};

/// The largest body in bytes.
const MAX_BODY: usize = 256 * 1024;

/// Adds the time by the sandbox's clock, as a test has set it.
async fn dated(razorpay: Razorpay, mut response: Response) -> Response {
    let now = razorpay.options.clock.now() + TimeDelta::seconds(razorpay.skew());
    if let Ok(date) = HeaderValue::from_str(&now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

/// Reads a request to its end, also when nobody looks at its body: else the connection is closed after the answer, in the moment in
/// which its client uses it again.
async fn whole(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match to_bytes(body, MAX_BODY).await {
        Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    }
}

/// Starts it; returns the bound address.
///
/// # Errors
/// When the address is not loopback or cannot be bound.
pub async fn start(razorpay: Razorpay, addr: SocketAddr, shutdown: &Shutdown) -> anyhow::Result<SocketAddr> {
    let listener = crate::bind(addr).await?;
    let bound = listener.local_addr()?;
    razorpay.set_base(&format!("http://{bound}"));
    let api = links::router().merge(orders::router()).merge(refunds::router()).merge(settlements::router());
    let api = api.route_layer(from_fn_with_state(razorpay.clone(), api::admitted));
    let control = control::router().merge(refunds::control()).merge(settlements::control());
    let router: Router = api.merge(page::router()).merge(control).with_state(razorpay.clone());
    let router =
        router.layer(from_fn(whole)).layer(map_response(move |response: Response| dated(razorpay.clone(), response)));
    let soft = shutdown.soft.clone();
    shutdown.spawn("razorpay", async move {
        axum::serve(listener, router).with_graceful_shutdown(soft.cancelled_owned()).await
    });
    Ok(bound)
}
