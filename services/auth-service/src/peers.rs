use kit::caller::Caller;
use kit::grpc::{Peer, call, connect};
use proto::common::DeliverRequest;
use proto::common::event_sink_client::EventSinkClient;

use crate::config::Config;

/// What one delivery of a message may take.
const BUDGET: std::time::Duration = std::time::Duration::from_secs(2);

/// The services this one tells things.
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

    /// Delivers to everybody who follows tenants; a failure of one delivers to both again.
    pub(crate) async fn deliver_to_followers(&self, message: DeliverRequest) -> anyhow::Result<()> {
        let (caller, mut failure) = (Caller::system("auth"), None);
        for peer in [&self.songlist, &self.payments] {
            let request = call(&caller, BUDGET, message.clone());
            if let Err(status) = EventSinkClient::new(peer.clone()).deliver(request).await {
                // One that is away must not keep the other from hearing it.
                failure = Some(status);
            }
        }
        failure.map_or(Ok(()), |status| Err(status.into()))
    }
}
