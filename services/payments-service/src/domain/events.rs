use kit::ids::UserId;
use kit_pg::{Conn, Scope};
use outbox::Delivered;

use crate::App;
use crate::store::tenants::{self, Tenant};

/// The inbox name of this service.
const CONSUMER: &str = "payments";

/// The topics that this service accepts, each with the service that owns it.
pub(crate) const SENDERS: &[(&str, &str)] = &[("tenant.changed", "auth"), ("user.operations", "auth")];

/// Applies a message of another service; a redelivered message has no effect.
pub(crate) async fn receive(app: &App, message: &Delivered) -> kit::Result<()> {
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            if !outbox::first_time(conn, CONSUMER, message.id).await? {
                return Ok(());
            }
            match (message.topic.as_str(), message.tenant) {
                ("tenant.changed", _) => {
                    let row = Tenant {
                        id: message.aggregate,
                        name: message.text("name"),
                        is_active: message.flag("is_active"),
                        is_deleted: message.flag("is_deleted"),
                        version: message.version,
                    };
                    tenants::put(conn, &row).await
                }
                // A user who was deleted and restored gets no answer of before.
                ("user.operations", Some(tenant)) => {
                    kit_pg::forget_answers(conn, tenant, UserId(message.aggregate)).await
                }
                _ => Ok(()),
            }
        })
        .await
}
