//! Delivery of the messages in this service's outbox.

use outbox::Message;

use crate::App;

/// Delivers one message of the outbox.
pub(crate) async fn deliver(app: App, message: Message) -> anyhow::Result<()> {
    match message.topic.as_str() {
        "premium.changed" => rpc::deliver("payments", &app.peers.followers(), &message).await,
        "mail.requested" => rpc::deliver("payments", &[app.peers.auth()], &message).await,
        audit::TOPIC => rpc::deliver("payments", &[app.peers.auth()], &message).await,
        other => anyhow::bail!("nobody delivers {other}"),
    }
}
