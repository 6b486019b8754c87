use kit_pg::{Conn, Scope, TxError};
use outbox::{Delivered, NewMessage};

use super::premium;
use crate::App;

/// The inbox name of this service.
const CONSUMER: &str = "auth";

/// The topics that this service accepts, each with the service that owns it.
pub(crate) const SENDERS: &[(&str, &str)] = &[
    ("premium.changed", "payments"),
    ("mail.requested", "songlist"),
    ("mail.requested", "payments"),
    (audit::TOPIC, "songlist"),
    (audit::TOPIC, "payments"),
];

/// Applies a message of another service; a redelivered message has no effect.
pub(crate) async fn receive(app: &App, message: &Delivered) -> kit::Result<()> {
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            if !outbox::first_time(conn, CONSUMER, message.id).await? {
                return Ok(());
            }
            match message.topic.as_str() {
                "premium.changed" => premium::arrived(conn, message).await,
                "mail.requested" => notice(conn, message).await,
                audit::TOPIC => audit::receive(conn, message).await,
                // Topics that are not in SENDERS were refused before.
                _ => Ok(()),
            }
        })
        .await?;
    app.wake.wake();
    Ok(())
}

/// Sends a mail for another service: only auth-service knows addresses and templates.
async fn notice(conn: &mut Conn, message: &Delivered) -> Result<(), TxError> {
    // Another service names a user, never an address.
    let mut payload = message.payload.clone();
    if let Some(members) = payload.as_object_mut() {
        members.remove("email");
    }
    let forward = NewMessage {
        topic: "mail.notice",
        tenant_id: message.tenant.map(|id| id.0),
        aggregate_id: message.aggregate,
        version: message.version,
        payload,
        request_id: message.id.to_string(),
    };
    outbox::emit(conn, forward).await
}
