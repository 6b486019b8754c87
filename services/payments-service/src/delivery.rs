//! Where the messages of this service's outbox go, and what becomes of those that other services deliver.

use kit::ids::TenantId;
use kit_pg::{Conn, Scope};
use outbox::{Delivered, Message};
use proto::common::DeliverRequest;

use crate::App;
use crate::store::tenants;

/// The inbox name of this service.
const CONSUMER: &str = "payments";

/// Sends one message of the outbox.
pub(crate) async fn deliver(app: App, message: Message) -> anyhow::Result<()> {
    match message.topic.as_str() {
        "premium.changed" => {
            let request = DeliverRequest {
                message_id: message.id.to_string(),
                topic: message.topic,
                tenant_id: message.tenant_id.map(|id| id.to_string()),
                aggregate_id: message.aggregate_id.to_string(),
                version: message.version,
                payload: message.payload.to_string(),
            };
            app.peers.deliver_to_followers(request).await
        }
        other => anyhow::bail!("nobody delivers {other}"),
    }
}

/// Takes a message of another service, once.
pub(crate) async fn receive(app: &App, message: &Delivered) -> kit::Result<()> {
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            if !outbox::first_time(conn, CONSUMER, message.id).await? {
                return Ok(());
            }
            if message.topic == "tenant.changed" {
                let (name, active) = (message.text("name"), message.flag("is_active"));
                tenants::put(conn, TenantId(message.aggregate), name, active, message.version).await?;
            }
            Ok(())
        })
        .await
}
