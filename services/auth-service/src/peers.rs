use kit::grpc::{Peer, connect};

use crate::config::Config;

/// The services that receive events of this one.
pub(crate) struct Peers {
    songlist: Peer,
    payments: Peer,
}

impl Peers {
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            songlist: connect("songlist", &config.songlist_url, &config.keys)?,
            payments: connect("payments", &config.payments_url, &config.keys)?,
        })
    }

    /// The services that receive changes of tenants, and the deletions and restorations of users.
    pub(crate) fn followers(&self) -> [&Peer; 2] {
        [&self.songlist, &self.payments]
    }
}
