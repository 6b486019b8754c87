use futures_util::future::try_join;
use kit::Error;
use kit::caller::Caller;
use kit::ids::TenantId;
use kit::page::{Page, Paged};
use kit_pg::{Conn, Scope};
use uuid::Uuid;

use super::status::Status;
use crate::App;
use crate::store::payments::{self, Change, Payment, Wanted, Whose};

/// A payment with its history.
pub(crate) type WithHistory = (Payment, Vec<Change>);

/// A payment of the ADMIN's own tenant.
pub(crate) async fn get(app: &App, caller: &Caller, id: &str) -> Result<WithHistory, Error> {
    let (_, tenant) = caller.admin()?;
    let id = kit::ids::parse(id)?;
    app.pg
        .read(Scope::Tenant(tenant).one_plan(), async |conn: &Conn| {
            try_join(payments::find(conn, tenant, id), payments::changes(conn, &[id])).await
        })
        .await
}

/// The tenant's payments, the newest first.
pub(crate) async fn list(app: &App, caller: &Caller, page: &Page) -> Result<Paged<WithHistory>, Error> {
    let (_, tenant) = caller.admin()?;
    let (count, (rows, changes)) = app
        .pg
        .read(Scope::Tenant(tenant), async |conn: &Conn| {
            let rows = try_join(payments::list(conn, tenant, page), payments::changes_of_page(conn, tenant, page));
            kit_pg::page(page, payments::count(conn, tenant), rows).await
        })
        .await?;
    let of = |id: Uuid| changes.iter().filter(|change| change.payment_id == id).cloned().collect();
    let rows = rows.into_iter().map(|row| (of(row.id), row)).map(|(history, row)| (row, history)).collect();
    Ok(Paged { rows, count, next_cursor: None })
}

/// The filters of the list of all tenants, as they were received.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawFilters {
    pub tenant: Option<String>,
    pub statuses: Vec<String>,
    pub refund_due: Option<bool>,
}

/// The payments of all tenants, for a SUPER_ADMIN, the newest first.
pub(crate) async fn list_all(
    app: &App,
    caller: &Caller,
    raw: RawFilters,
    page: &Page,
) -> Result<Paged<(Payment, Whose)>, Error> {
    caller.super_admin()?;
    if raw.statuses.iter().any(|name| Status::of_name(name).is_none()) {
        return Err(Error::invalid("status", "This is no status of a payment."));
    }
    // An id that is none is nobody's.
    let tenant = raw.tenant.map(|text| TenantId(Uuid::try_parse(&text).unwrap_or_default()));
    let wanted = Wanted { tenant, statuses: raw.statuses, refund_due: raw.refund_due };
    let (count, rows) = app
        .pg
        .read(Scope::Platform, async |conn: &Conn| {
            kit_pg::page(page, payments::count_all(conn, &wanted), payments::list_all(conn, &wanted, page)).await
        })
        .await?;
    Ok(Paged { rows, count, next_cursor: None })
}
