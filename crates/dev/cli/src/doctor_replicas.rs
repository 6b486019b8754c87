//! What `songlist doctor` says about the replicas of each service: which serve, and which the gateway calls.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use kit::grpc::{Targets, examine};

use crate::say;

/// Prints a line for each service that the gateway calls.
pub(crate) async fn tell(gateway: &gateway::Config) {
    let calls = calls(gateway.ops_addr).await.unwrap_or_default();
    let services = [
        ("auth", &gateway.auth_targets),
        ("songlist", &gateway.songlist_targets),
        ("payments", &gateway.payments_targets),
    ];
    for (name, targets) in services {
        say(&format!("      {name}: {}", describe(name, targets, &calls).await));
    }
}

/// The answers that the gateway has had, by service and replica.
type Calls = BTreeMap<(String, String), u64>;

async fn describe(name: &str, targets: &Targets, calls: &Calls) -> String {
    let found = match examine(targets).await {
        Ok(found) => found,
        Err(error) => return format!("its name cannot be looked up: {error}"),
    };
    let serving = found.iter().filter(|(_, state)| state.is_ok()).count();
    let replicas: Vec<String> = found
        .iter()
        .map(|(addr, state)| {
            let answered = calls.get(&(name.to_owned(), addr.to_string())).copied();
            let answered = answered.map_or(String::new(), |calls| format!(", the gateway had {calls} answers"));
            format!("{addr} {}{answered}", state.map_or_else(|reason| reason, |()| "serves"))
        })
        .collect();
    format!("{serving} of {} replicas serve: {}", found.len(), replicas.join("; "))
}

/// Reads them from the gateway's metrics.
async fn calls(ops: SocketAddr) -> anyhow::Result<Calls> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).build()?;
    let text = client.get(format!("http://{ops}/metrics")).send().await?.text().await?;
    Ok(text.lines().filter_map(answered).collect())
}

fn answered(line: &str) -> Option<((String, String), u64)> {
    let (labels, count) = line.strip_prefix("peer_calls_total{outcome=\"answered\",")?.split_once("} ")?;
    let (peer, replica) = labels.strip_prefix("peer=\"")?.strip_suffix('"')?.split_once("\",replica=\"")?;
    Some(((peer.to_owned(), replica.to_owned()), count.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_of_a_replica_are_read_from_the_metrics() {
        let line = "peer_calls_total{outcome=\"answered\",peer=\"songlist\",replica=\"127.0.0.1:9002\"} 12";
        assert_eq!(answered(line), Some((("songlist".to_owned(), "127.0.0.1:9002".to_owned()), 12)));
        assert_eq!(answered("peer_calls_total{outcome=\"late\",peer=\"a\",replica=\"b\"} 1"), None);
    }
}
