//! Delivery of the messages in this service's outbox.

use outbox::Message;
use serde_json::Value;

use crate::App;
use crate::domain::{artwork, song_copies};

/// Delivers one message of the outbox.
pub(crate) async fn deliver(app: App, message: Message) -> anyhow::Result<()> {
    match message.topic.as_str() {
        "mail.requested" => rpc::deliver("songlist", &[app.peers.auth()], &message).await,
        song_copies::TOPIC => Ok(song_copies::follow_everywhere(&app, message.aggregate_id).await?),
        artwork::TOPIC | artwork::UPLOADED => {
            let name = message.payload.get("name").and_then(Value::as_str).unwrap_or_default();
            Ok(artwork::delete_unused(&app, message.aggregate_id, name).await?)
        }
        audit::TOPIC => rpc::deliver("songlist", &[app.peers.auth()], &message).await,
        other => anyhow::bail!("nobody delivers {other}"),
    }
}
