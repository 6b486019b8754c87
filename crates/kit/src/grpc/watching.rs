//! Keeps the replicas of one service current: looks names up again, and checks each replica with `grpc.health.v1`.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::replicas::{Checked, Reason, Replica, Replicas};
use super::targets::Targets;
use super::{CONNECTION_WINDOW, STREAM_WINDOW};

/// The time between two look-ups of names.
const LOOK_UP_EVERY: Duration = Duration::from_secs(3);
/// A connection that is silent for so long is asked for a sign of life, and closed when none comes in the same time.
const KEEP_ALIVE: Duration = Duration::from_secs(2);
/// The time between two checks of a replica, and how long one may take: a frozen replica is left after the sum, or after
/// another round when it has answered a call during the check.
const CHECK_EVERY: Duration = Duration::from_millis(500);
const CHECK_PATIENCE: Duration = Duration::from_millis(800);

/// Starts to watch; it ends when nobody has the replicas any more.
pub(super) fn start(replicas: &Arc<Replicas>, targets: Targets) {
    put(replicas, &targets.literal());
    if targets.has_names() {
        tokio::spawn(look_up(Arc::downgrade(replicas), targets));
    }
}

async fn look_up(replicas: Weak<Replicas>, targets: Targets) {
    let mut failing = false;
    loop {
        let found = targets.resolve().await;
        let Some(replicas) = replicas.upgrade() else { return };
        let pause = match found {
            Ok(found) => {
                put(&replicas, &found);
                failing = false;
                LOOK_UP_EVERY
            }
            // The addresses that are known stay in use.
            Err(error) => {
                // Once, not twice a second for as long as it lasts.
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(%targets, %error, "the addresses of a service cannot be looked up");
                }
                CHECK_EVERY
            }
        };
        drop(replicas);
        tokio::time::sleep(pause).await;
    }
}

/// Makes the list of replicas the one of these addresses; those that stay keep their connections.
fn put(replicas: &Arc<Replicas>, addresses: &[SocketAddr]) {
    let known = replicas.all();
    if known.iter().map(|replica| replica.addr).eq(addresses.iter().copied()) {
        return;
    }
    let list = addresses.iter().map(|addr| {
        let kept = known.iter().find(|replica| replica.addr == *addr).cloned();
        kept.unwrap_or_else(|| {
            let replica = Replica::new(*addr, channel(*addr), channel(*addr));
            tokio::spawn(check_again_and_again(Arc::downgrade(replicas), Arc::downgrade(&replica)));
            replica
        })
    });
    let list = list.collect();
    replicas.set(list);
}

/// A channel that connects lazily: when the peer is down, the call fails, not the start.
fn channel(addr: SocketAddr) -> Channel {
    Endpoint::from(http_uri(addr))
        .connect_timeout(Duration::from_millis(500))
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true)
        .connect_lazy()
}

fn http_uri(addr: SocketAddr) -> http::Uri {
    // An address and a port always make a URI.
    format!("http://{addr}").parse().unwrap_or_default()
}

async fn check_again_and_again(replicas: Weak<Replicas>, replica: Weak<Replica>) {
    loop {
        let Some(checked) = replica.upgrade() else { return };
        // The only replica gets all calls whatever its health.
        let wanted = replicas.upgrade().is_some_and(|all| all.all().len() > 1);
        let (channel, answers) = (checked.checks.clone(), checked.answers.load(Ordering::Relaxed));
        drop(checked);
        if wanted {
            let began = Instant::now();
            let found = check(channel).await;
            let (Some(replicas), Some(replica)) = (replicas.upgrade(), replica.upgrade()) else { return };
            // Who answers calls is not frozen; and when the check took far too long, it was this process that stood still.
            let answered = replica.answers.load(Ordering::Relaxed) != answers;
            let slept = began.elapsed() > CHECK_PATIENCE * 3 / 2;
            if found != Err(Reason::NoAnswer) || !(answered || slept) {
                replicas.checked(&replica, found);
            }
        }
        tokio::time::sleep(CHECK_EVERY).await;
    }
}

/// Asks a replica whether it serves.
async fn check(channel: Channel) -> Checked {
    let mut client = HealthClient::new(channel);
    match tokio::time::timeout(CHECK_PATIENCE, client.check(HealthCheckRequest::default())).await {
        Err(_elapsed) => Err(Reason::NoAnswer),
        Ok(Ok(answer)) if answer.get_ref().status() == ServingStatus::Serving => Ok(()),
        Ok(Ok(_)) => Err(Reason::NotServing),
        // It has too much to do to answer this, but it is there.
        Ok(Err(shed)) if shed.code() == tonic::Code::ResourceExhausted => Ok(()),
        Ok(Err(_broken)) => Err(Reason::Unreachable),
    }
}

/// What `songlist doctor` says about the replicas that a service's targets name: of each, why it would get no calls.
pub async fn examine(targets: &Targets) -> std::io::Result<Vec<(SocketAddr, Result<(), &'static str>)>> {
    let asked = targets.resolve().await?.into_iter().map(|addr| async move {
        let found = check(channel(addr)).await;
        (addr, found.map_err(Reason::text))
    });
    Ok(futures_util::future::join_all(asked).await)
}
