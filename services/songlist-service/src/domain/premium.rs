use kit::ids::TenantId;
use kit::{Error, Kind};
use kit_pg::{Conn, Scope};

use crate::App;
use crate::store::tenants;

/// Refuses a tenant without premium what needs it. The event that granted it may be on its way, so payments-service is asked
/// before the refusal.
///
/// # Errors
/// `premium_required`; `Unavailable` when payments-service cannot be asked.
pub(crate) async fn require(app: &App, tenant: TenantId) -> Result<(), Error> {
    if !app.songs_need_premium {
        return Ok(());
    }
    let told = app
        .pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| tenants::is_premium(conn, tenant).await)
        .await?;
    if told {
        return Ok(());
    }
    let (premium, version) = app.peers.premium(tenant).await?;
    if !premium {
        return Err(Error::new(Kind::Forbidden, "premium_required", "This needs a premium subscription."));
    }
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| tenants::set_premium(conn, tenant, true, version).await)
        .await
}
