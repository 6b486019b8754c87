use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use sandbox::servers::free_port;

/// The most replicas of one service on one machine.
const MOST: usize = 9;

/// A service: its name, its program, and the variables of its listeners.
struct Service {
    name: &'static str,
    program: &'static str,
    listeners: &'static [&'static str],
}

const SERVICES: [Service; 5] = [
    Service { name: "auth", program: "auth-service", listeners: &["AUTH_GRPC_ADDR", "AUTH_OPS_ADDR"] },
    Service { name: "songlist", program: "songlist-service", listeners: &["SONGLIST_GRPC_ADDR", "SONGLIST_OPS_ADDR"] },
    Service {
        name: "payments",
        program: "payments-service",
        listeners: &["PAYMENTS_GRPC_ADDR", "PAYMENTS_OPS_ADDR", "PAYMENTS_WEBHOOK_ADDR"],
    },
    Service {
        name: "scheduler",
        program: "scheduler-service",
        listeners: &["SCHEDULER_GRPC_ADDR", "SCHEDULER_OPS_ADDR"],
    },
    Service { name: "gateway", program: "gateway", listeners: &["GATEWAY_HTTP_ADDR", "GATEWAY_OPS_ADDR"] },
];

/// How many replicas of a service are started, as `--replicas songlist=2` says.
#[derive(Clone, Debug)]
pub(crate) struct Count {
    service: &'static str,
    count: usize,
}

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, count) = text.split_once('=').ok_or("write service=number")?;
        let known = SERVICES.iter().find(|service| service.name == name);
        let service = known.ok_or("the services are auth, songlist, payments, scheduler and gateway")?.name;
        let count = count.parse().ok().filter(|count| (1..=MOST).contains(count));
        Ok(Self { service, count: count.ok_or("from 1 to 9 replicas")? })
    }
}

/// One process of a service and its own listeners.
#[derive(Clone, Debug)]
pub(super) struct Replica {
    /// The program's name; those after the first one have a number.
    pub name: String,
    pub program: &'static str,
    /// The variable and the address of each listener.
    pub addresses: Vec<(&'static str, SocketAddr)>,
    /// How long it says that it is not ready before it stops to accept connections: the front needs to notice.
    pub lame_duck: Duration,
}

impl Replica {
    pub(super) fn address(&self, variable: &str) -> Option<SocketAddr> {
        self.addresses.iter().find(|(name, _)| *name == variable).map(|(_, addr)| *addr)
    }
}

/// The processes of all services. The first replica of each has the addresses of `first`; with several gateways the public
/// address is that of the front.
pub(super) fn plan(counts: &[Count], first: impl Fn(&str) -> SocketAddr) -> anyhow::Result<Vec<Replica>> {
    let mut all = Vec::new();
    for service in &SERVICES {
        let count = counts.iter().rfind(|count| count.service == service.name).map_or(1, |count| count.count);
        for number in 1..=count {
            let own = |variable: &&'static str| {
                let is_front = count > 1 && *variable == "GATEWAY_HTTP_ADDR";
                let mut addr = first(variable);
                if number > 1 || is_front {
                    addr.set_port(free_port()?);
                }
                anyhow::Ok((*variable, addr))
            };
            let name = if number == 1 { service.program.to_owned() } else { format!("{}-{number}", service.program) };
            let addresses = service.listeners.iter().map(own).collect::<anyhow::Result<_>>()?;
            let behind_front = count > 1 && service.name == "gateway";
            let lame_duck = if behind_front { sandbox::front::NOTICED } else { Duration::ZERO };
            all.push(Replica { name, program: service.program, addresses, lame_duck });
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_replica_has_listeners_of_its_own_and_the_public_address_is_left_to_the_front() {
        let counts = ["songlist=2", "gateway=2"].map(|text| text.parse().unwrap());
        let first = |_: &str| SocketAddr::from(([127, 0, 0, 1], 8000));
        let all = plan(&counts, first).unwrap();
        let names: Vec<&str> = all.iter().map(|replica| replica.name.as_str()).collect();
        let expected = ["auth-service", "songlist-service", "songlist-service-2", "payments-service"];
        assert_eq!(names, [&expected[..], &["scheduler-service", "gateway", "gateway-2"]].concat());
        assert!(all.iter().skip(5).all(|gateway| gateway.address("GATEWAY_HTTP_ADDR") != Some(first(""))));
        for bad in ["songlist", "songlist=0", "songlist=10", "mail=2", "songlist=two"] {
            assert!(bad.parse::<Count>().is_err(), "{bad}");
        }
    }
}
