use kit::grpc::{Peer, connect};

use crate::config::Config;

/// The services that receive events of this one.
pub(crate) struct Peers {
    auth: Peer,
    songlist: Peer,
}

impl Peers {
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            auth: connect("auth", &config.auth_url, &config.keys)?,
            songlist: connect("songlist", &config.songlist_url, &config.keys)?,
        })
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
