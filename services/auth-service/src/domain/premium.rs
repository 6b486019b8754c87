use kit::ids::TenantId;
use kit_pg::{Conn, TxError};
use outbox::Delivered;

use crate::store::tenants;

/// Applies an event of payments-service about a tenant, unless a newer one was applied.
pub(crate) async fn arrived(conn: &mut Conn, message: &Delivered) -> Result<(), TxError> {
    tenants::set_premium(conn, TenantId(message.aggregate), message.flag("is_premium"), message.version).await
}
