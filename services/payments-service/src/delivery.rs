//! Where the messages of this service's outbox go.

use outbox::Message;

use crate::App;

/// Sends one message of the outbox.
pub(crate) async fn deliver(app: App, message: Message) -> anyhow::Result<()> {
    match message.topic.as_str() {
        "premium.changed" => rpc::deliver("payments", &app.peers.followers(), &message).await,
        other => anyhow::bail!("nobody delivers {other}"),
    }
}
