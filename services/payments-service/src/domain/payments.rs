use kit::Error;
use kit::caller::Caller;
use kit::page::{Page, Paged};
use kit_pg::{Conn, Scope, TxError};
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
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let row = payments::find(conn, tenant, id).await?;
            let history = payments::changes(conn, &[row.id]).await?;
            Ok((row, history))
        })
        .await
}

/// The tenant's payments, the newest first.
pub(crate) async fn list(app: &App, caller: &Caller, page: &Page) -> Result<Paged<WithHistory>, Error> {
    let (_, tenant) = caller.admin()?;
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let count = payments::count(conn, tenant).await?;
            page.check_range(count)?;
            let rows = payments::list(conn, tenant, page).await?;
            let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
            let changes = payments::changes(conn, &ids).await?;
            let of = |id: Uuid| changes.iter().filter(|change| change.payment_id == id).cloned().collect();
            let rows = rows.into_iter().map(|row| (of(row.id), row)).map(|(history, row)| (row, history)).collect();
            Ok::<_, TxError>(Paged { rows, count: Some(count), next_cursor: None })
        })
        .await
}
