//! Razorpay for development and tests: payment links over its REST API with Basic auth, a hosted page on which a
//! payment succeeds or fails, signed webhooks with its retry intervals, and a control API that plans failures.

mod api;
mod control;
mod page;
mod refunds;
mod signature;
mod store;
mod webhooks;

use std::net::SocketAddr;

use axum::Router;
use kit::lifecycle::Shutdown;

pub use store::{Razorpay, RazorpayOptions};

/// Starts it; returns the bound address.
///
/// # Errors
/// When the address is not loopback or cannot be bound.
pub async fn start(razorpay: Razorpay, addr: SocketAddr, shutdown: &Shutdown) -> anyhow::Result<SocketAddr> {
    let listener = crate::bind(addr).await?;
    let bound = listener.local_addr()?;
    razorpay.set_base(&format!("http://{bound}"));
    let router: Router = api::router().merge(page::router()).merge(control::router()).with_state(razorpay);
    let soft = shutdown.soft.clone();
    shutdown.spawn("razorpay", async move {
        axum::serve(listener, router).with_graceful_shutdown(soft.cancelled_owned()).await
    });
    Ok(bound)
}
