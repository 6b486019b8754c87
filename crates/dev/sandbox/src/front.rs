//! A small front for several gateways: it passes connections on, one gateway after the other, and knows which are ready. In
//! production a load balancer does this.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How often a gateway is asked whether it is ready, and how long that may take.
const CHECK_EVERY: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    /// It answers that it is not: it gets no new connections and ends those it has.
    NotReady,
    /// It does not answer: its connections are cut, so that clients come back and get another one.
    Silent,
}

struct Gateway {
    http: SocketAddr,
    state: watch::Sender<State>,
}

/// How long a gateway that stops must say that it is not ready before it accepts no more connections.
pub const NOTICED: Duration = Duration::from_millis(900);

/// Passes connections to `listen` on to the gateways, of each of which the public and the internal address are given; returns
/// the bound address.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start(listen: SocketAddr, gateways: Vec<(SocketAddr, SocketAddr)>) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let bound = listener.local_addr()?;
    let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
    let gateways: Arc<[Gateway]> = gateways
        .into_iter()
        .map(|(http, ops)| {
            let state = watch::Sender::new(State::Ready);
            tokio::spawn(check(client.clone(), format!("http://{ops}/readyz"), state.clone()));
            Gateway { http, state }
        })
        .collect();
    let turn = AtomicUsize::new(0);
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Too many open files: some will be closed.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let first = turn.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(pass(stream, gateways.clone(), first));
        }
    });
    Ok(bound)
}

async fn check(client: reqwest::Client, url: String, state: watch::Sender<State>) {
    loop {
        let found = match client.get(&url).send().await {
            Ok(answer) if answer.status().is_success() => State::Ready,
            Ok(_) => State::NotReady,
            // Nobody listens any more: what is still connected is being finished.
            Err(error) if error.is_connect() => State::NotReady,
            Err(_) => State::Silent,
        };
        state.send_if_modified(|known| std::mem::replace(known, found) != found);
        tokio::time::sleep(CHECK_EVERY).await;
    }
}

async fn pass(mut client: TcpStream, gateways: Arc<[Gateway]>, first: usize) {
    let _ = client.set_nodelay(true);
    let in_turn = gateways.iter().cycle().skip(first % gateways.len().max(1)).take(gateways.len());
    let (ready, others): (Vec<&Gateway>, Vec<&Gateway>) =
        in_turn.partition(|gateway| *gateway.state.borrow() == State::Ready);
    for gateway in ready.into_iter().chain(others) {
        let Ok(Ok(mut server)) = tokio::time::timeout(PATIENCE, TcpStream::connect(gateway.http)).await else {
            continue;
        };
        let _ = server.set_nodelay(true);
        let mut state = gateway.state.subscribe();
        tokio::select! {
            _ended = copy_bidirectional(&mut client, &mut server) => {}
            _silent = state.wait_for(|state| *state == State::Silent) => {}
        }
        return;
    }
}
