//! Replacements for outside services in development and tests: a mail server that keeps what it gets, Razorpay, and
//! private PostgreSQL and Redis servers. It refuses to listen anywhere but on loopback.

pub mod front;
pub mod mailbox;
pub mod razorpay;
pub mod servers;

use std::net::SocketAddr;

use tokio::net::TcpListener;

/// Binds a loopback port; other addresses are refused, because the sandbox does not authenticate its clients.
///
/// # Errors
/// When the address is not loopback or cannot be bound.
pub async fn bind(addr: SocketAddr) -> anyhow::Result<TcpListener> {
    anyhow::ensure!(addr.ip().is_loopback(), "the sandbox listens on loopback only, not on {addr}");
    kit::health::bind(addr).await
}
