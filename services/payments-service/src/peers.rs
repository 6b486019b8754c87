use kit::grpc::{Dialer, Peer};
use kit::metrics::Metrics;

use crate::config::Config;

/// The services that receive events of this one.
pub(crate) struct Peers {
    auth: Peer,
    songlist: Peer,
}

impl Peers {
    pub(crate) fn new(config: &Config, metrics: &Metrics) -> Self {
        let dialer = Dialer::new(&config.keys, metrics, proto::WITHOUT_EFFECT);
        Self {
            auth: dialer.connect("auth", &config.auth_targets),
            songlist: dialer.connect("songlist", &config.songlist_targets),
        }
    }

    /// The channel to auth-service, which keeps the whole audit log.
    pub(crate) fn auth(&self) -> &Peer {
        &self.auth
    }

    /// The services that receive changes of premium.
    pub(crate) fn followers(&self) -> [&Peer; 2] {
        [&self.songlist, &self.auth]
    }
}
