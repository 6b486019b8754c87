use kit_pg::{Conn, Scope};
use outbox::Delivered;

use super::{premium, user_operations};
use crate::App;

/// The inbox name of this service.
const CONSUMER: &str = "songlist";

/// The topics that this service accepts, each with the service that owns it.
pub(crate) const SENDERS: &[(&str, &str)] =
    &[("premium.changed", "payments"), ("tenant.changed", "auth"), ("user.operations", "auth")];

/// Applies a message of another service; a redelivered message has no effect.
pub(crate) async fn receive(app: &App, message: &Delivered) -> kit::Result<()> {
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            if !outbox::first_time(conn, CONSUMER, message.id).await? {
                return Ok(());
            }
            match message.topic.as_str() {
                "premium.changed" => premium::arrived(conn, message).await,
                "user.operations" => user_operations::arrived(conn, message).await,
                // A sender may send topics that this service does not need.
                _ => Ok(()),
            }
        })
        .await
}
