use kit::ids::TenantId;
use kit::{Code, Error};
use kit_pg::{Conn, Scope, TxError};
use outbox::Delivered;

use crate::App;
use crate::store::tenants;

/// Applies an event of payments-service about a tenant, unless a newer one was applied.
pub(crate) async fn arrived(conn: &mut Conn, message: &Delivered) -> Result<(), TxError> {
    tenants::set_premium(conn, TenantId(message.aggregate), message.flag("is_premium"), message.version).await
}

/// Whether a tenant may do what needs premium. Payments-service is asked before a refusal, because the event that
/// grants premium may not have arrived yet.
///
/// # Errors
/// `Unavailable` when payments-service cannot be asked.
pub(crate) async fn granted(app: &App, tenant: TenantId) -> Result<bool, Error> {
    if !app.songs_need_premium {
        return Ok(true);
    }
    let told = app
        .pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| tenants::is_premium(conn, tenant).await)
        .await?;
    if told {
        return Ok(true);
    }
    let (premium, version) = app.peers.premium(tenant).await?;
    if premium {
        app.pg
            .transaction(Scope::Worker, async |conn: &mut Conn| tenants::set_premium(conn, tenant, true, version).await)
            .await?;
    }
    Ok(premium)
}

/// An error unless the tenant has premium. Call it after the idempotency record was read, so that a repeated request
/// succeeds although payments-service cannot be asked now.
///
/// # Errors
/// `premium_required`; `Unavailable` when [`granted`] could not find out.
pub(crate) fn require(granted: &Result<bool, Error>) -> Result<(), Error> {
    match granted {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::new(Code::PremiumRequired)),
        Err(error) => Err(Error::unavailable(anyhow::anyhow!("premium is not known: {error}"))),
    }
}
