//! The mailbox: an SMTP server that keeps mails instead of delivering them, a page that shows them, and the part of
//! Mailpit's JSON API that tests need, so that a real Mailpit can be used instead.

mod api;
mod page;
mod smtp;
mod store;

use std::net::SocketAddr;

use kit::lifecycle::Shutdown;

pub use store::{Mail, Mailbox};

/// Where a started mailbox listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub smtp: SocketAddr,
    pub web: SocketAddr,
}

/// Starts both listeners over one mailbox.
///
/// # Errors
/// When an address is not loopback or cannot be bound.
pub async fn start(
    mailbox: Mailbox,
    smtp: SocketAddr,
    web: SocketAddr,
    shutdown: &Shutdown,
) -> anyhow::Result<Addresses> {
    let (smtp, web) = (crate::bind(smtp).await?, crate::bind(web).await?);
    let bound = Addresses { smtp: smtp.local_addr()?, web: web.local_addr()? };
    let (stopped, mails) = (shutdown.soft.clone(), mailbox.clone());
    shutdown
        .spawn("smtp", async move { stopped.run_until_cancelled(smtp::serve(smtp, mails)).await.unwrap_or(Ok(())) });
    let soft = shutdown.soft.clone();
    shutdown.spawn("mailbox", async move {
        axum::serve(web, api::router(mailbox)).with_graceful_shutdown(soft.cancelled_owned()).await
    });
    Ok(bound)
}
