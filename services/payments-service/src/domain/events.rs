use kit::ids::TenantId;
use kit_pg::{Conn, Scope};
use outbox::Delivered;

use crate::App;
use crate::store::tenants;

/// The inbox name of this service.
const CONSUMER: &str = "payments";

/// The topics that this service accepts, each with the service that owns it.
pub(crate) const SENDERS: &[(&str, &str)] = &[("tenant.changed", "auth")];

/// Applies a message of another service; a redelivered message has no effect.
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
