use futures_util::future::try_join;
use kit::Error;
use kit::caller::Caller;
use kit::page::{Page, Paged};
use kit_pg::{Conn, Scope};
use uuid::Uuid;

use crate::App;
use crate::store::payments::{self, Change, Payment};

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
