use kit::caller::Caller;
use kit::grpc::{Peer, call, connect};
use proto::common::DeliverRequest;
use proto::common::event_sink_client::EventSinkClient;

use crate::config::Config;

/// What one delivery of a message may take.
const BUDGET: std::time::Duration = std::time::Duration::from_secs(2);

/// The services this one tells things.
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

    /// Delivers to everybody who follows premium; a failure of one delivers to both again.
    pub(crate) async fn deliver_to_followers(&self, message: DeliverRequest) -> anyhow::Result<()> {
        let (caller, mut failure) = (Caller::system("payments"), None);
        for peer in [&self.songlist, &self.auth] {
            let request = call(&caller, BUDGET, message.clone());
            if let Err(status) = EventSinkClient::new(peer.clone()).deliver(request).await {
                // One that is away must not keep the other from hearing it.
                failure = Some(status);
            }
        }
        failure.map_or(Ok(()), |status| Err(status.into()))
    }
}
