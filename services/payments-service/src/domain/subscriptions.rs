use kit::caller::Caller;
use kit::ids::TenantId;
use kit::page::{Page, Paged};
use kit::{Code, Error};
use kit_pg::{Conn, Scope};
use uuid::Uuid;

use crate::App;
use crate::store::payments::Whose;
use crate::store::subscriptions::{self, Subscription, Wanted};

/// The subscription of a tenant: for an ADMIN that of the own tenant; SUPER_ADMINs and services name a tenant.
pub(crate) async fn get(
    app: &App,
    caller: &Caller,
    tenant: Option<&str>,
) -> Result<(TenantId, Option<Subscription>), Error> {
    let tenant = match caller.admin() {
        Ok(_) if tenant.is_some() => {
            return Err(Error::new(Code::UnknownParameter).field("tenant_id", "For SUPER_ADMINs only."));
        }
        Ok((_, own)) => own,
        Err(_) => {
            if caller.service().is_err() {
                caller.super_admin()?;
            }
            let text = tenant.ok_or_else(|| Error::invalid("tenant_id", "This field is required."))?;
            TenantId::parse(text)?
        }
    };
    let found = app
        .pg
        .read(Scope::Tenant(tenant).one_plan(), async |conn: &Conn| subscriptions::find(conn, tenant).await)
        .await?;
    Ok((tenant, found))
}

/// The subscriptions of all tenants that ever had one, for a SUPER_ADMIN, the newest first.
pub(crate) async fn list_all(
    app: &App,
    caller: &Caller,
    tenant: Option<&str>,
    is_premium: Option<bool>,
    page: &Page,
) -> Result<Paged<(Subscription, Whose)>, Error> {
    caller.super_admin()?;
    let wanted = Wanted { tenant: tenant.map(|text| TenantId(Uuid::try_parse(text).unwrap_or_default())), is_premium };
    let (count, rows) = app
        .pg
        .read(Scope::Platform, async |conn: &Conn| {
            let rows = subscriptions::list_all(conn, &wanted, page);
            kit_pg::page(page, subscriptions::count_all(conn, &wanted), rows).await
        })
        .await?;
    Ok(Paged { rows, count, next_cursor: None })
}
