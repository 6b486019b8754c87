use kit::grpc::{Dialer, Peer};
use kit::metrics::Metrics;

use crate::config::Config;

/// The services that receive events of this one.
pub(crate) struct Peers {
    songlist: Peer,
    payments: Peer,
}

impl Peers {
    pub(crate) fn new(config: &Config, metrics: &Metrics) -> Self {
        let dialer = Dialer::new(&config.keys, metrics, proto::WITHOUT_EFFECT);
        Self {
            songlist: dialer.connect("songlist", &config.songlist_targets),
            payments: dialer.connect("payments", &config.payments_targets),
        }
    }

    /// The services that receive changes of tenants, and the deletions and restorations of users.
    pub(crate) fn followers(&self) -> [&Peer; 2] {
        [&self.songlist, &self.payments]
    }
}
