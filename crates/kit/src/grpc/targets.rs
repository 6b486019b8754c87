//! Where a service is reached: a list of addresses, or a name that stands for several and is looked up again.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Uri;

use crate::env::Env;

/// The time that a look-up of a name may take.
const LOOK_UP: Duration = Duration::from_secs(2);

/// The services that others call: name, variable, the URL of development, description.
const SERVICES: [(&str, &str, &str, &str); 3] = [
    (
        "auth",
        "AUTH_GRPC_URL",
        "http://127.0.0.1:9001",
        "auth-service: the gRPC URLs of its replicas, or one whose name stands for all of them",
    ),
    (
        "songlist",
        "SONGLIST_GRPC_URL",
        "http://127.0.0.1:9002",
        "songlist-service: the gRPC URLs of its replicas, or one whose name stands for all of them",
    ),
    (
        "payments",
        "PAYMENTS_GRPC_URL",
        "http://127.0.0.1:9003",
        "payments-service: the gRPC URLs of its replicas, or one whose name stands for all of them",
    ),
];

/// The URLs of one service's replicas, as `<SVC>_GRPC_URL` names them.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    named: Vec<Target>,
    /// What a name stands for in a test.
    changing: Option<Arc<Mutex<Vec<SocketAddr>>>>,
}

/// A host, which is an address or a name, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    host: String,
    port: u16,
}

impl Targets {
    /// Reads `http://host:port`, or several of them with commas between.
    ///
    /// # Errors
    /// A sentence that names the part that is no such URL.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let targets: Vec<Target> = parts.map(target).collect::<Result<_, _>>()?;
        if targets.is_empty() { Err("it is empty".to_owned()) } else { Ok(Self { named: targets, changing: None }) }
    }

    /// A name whose addresses a test changes.
    pub fn changing(addresses: &Arc<Mutex<Vec<SocketAddr>>>) -> Self {
        Self { named: Vec::new(), changing: Some(addresses.clone()) }
    }

    /// Reads `<SVC>_GRPC_URL` of a service; a fault is added to `env`.
    pub fn from_env(env: &mut Env, service: &str) -> Self {
        let Some((_, name, default, about)) = SERVICES.iter().find(|(known, ..)| *known == service) else {
            env.problem(format!("no service {service} is called"));
            return Self::default();
        };
        let text = env.text(name, default, about);
        Self::parse(&text).unwrap_or_else(|problem| {
            env.problem(format!("{name}: {problem}"));
            Self::default()
        })
    }

    /// True when a name must be looked up, again and again, to know the addresses.
    pub fn has_names(&self) -> bool {
        self.changing.is_some() || self.named.iter().any(|target| target.ip().is_none())
    }

    /// The addresses that need no look-up.
    pub fn literal(&self) -> Vec<SocketAddr> {
        sorted(self.named.iter().filter_map(|target| Some(SocketAddr::new(target.ip()?, target.port))).collect())
    }

    /// Every address now: those of names are looked up.
    ///
    /// # Errors
    /// When a name cannot be looked up: an incomplete answer would take calls away from replicas that serve.
    pub async fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        let mut found = self.literal();
        if let Some(changing) = &self.changing {
            found.extend(changing.lock().unwrap_or_else(PoisonError::into_inner).iter());
        }
        for target in self.named.iter().filter(|target| target.ip().is_none()) {
            let looked_up = tokio::time::timeout(LOOK_UP, tokio::net::lookup_host((target.host.as_str(), target.port)));
            found.extend(one_family(looked_up.await??.collect()));
        }
        Ok(sorted(found))
    }
}

impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let urls: Vec<String> = self.named.iter().map(|target| format!("{}:{}", target.host, target.port)).collect();
        f.write_str(&urls.join(","))
    }
}

impl Target {
    fn ip(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }
}

fn target(text: &str) -> Result<Target, String> {
    let bad = || format!("{text} is no URL such as http://10.0.0.7:9001");
    let uri: Uri = text.parse().map_err(|_bad| bad())?;
    let (host, port) = (uri.host().ok_or_else(bad)?, uri.port_u16().ok_or_else(bad)?);
    let plain = uri.scheme_str() == Some("http") && uri.path() == "/" && uri.query().is_none();
    let no_user = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    if plain && no_user { Ok(Target { host: host.to_owned(), port }) } else { Err(bad()) }
}

/// A host that has addresses of both families is one replica, not two: the IPv4 ones are used.
fn one_family(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let v4: Vec<SocketAddr> = found.iter().copied().filter(SocketAddr::is_ipv4).collect();
    if v4.is_empty() { found } else { v4 }
}

fn sorted(mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_and_names_are_read_and_nonsense_is_refused() {
        let list = Targets::parse("http://10.0.0.7:9001, http://[::1]:9001,http://10.0.0.7:9001").unwrap();
        assert_eq!(list.literal(), ["10.0.0.7:9001".parse().unwrap(), "[::1]:9001".parse().unwrap()]);
        assert!(!list.has_names() && Targets::parse("http://songlist:9002").unwrap().has_names());
        for bad in
            ["", " , ", "songlist:9002", "http://songlist", "https://songlist:9002", "http://a:1/b", "http://u@a:1"]
        {
            assert!(Targets::parse(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_name_stands_for_the_addresses_of_one_family() {
        let both = ["127.0.0.1:1", "[::1]:1"].map(|text| text.parse().unwrap()).to_vec();
        assert_eq!(one_family(both), ["127.0.0.1:1".parse().unwrap()]);
        let found = Targets::parse("http://localhost:9002,http://127.0.0.2:9002").unwrap().resolve().await.unwrap();
        assert!(found.contains(&"127.0.0.2:9002".parse().unwrap()) && found.len() == 2, "{found:?}");
        assert!(Targets::parse("http://nobody.invalid:1,http://127.0.0.1:1").unwrap().resolve().await.is_err());
    }
}
