use chrono::{DateTime, Utc};
use kit::caller::Caller;
use kit::page::{Page, Paged};
use kit::{Error, Result};
use kit_pg::{Conn, Scope};
use uuid::Uuid;

use crate::App;
use crate::store::audit_events::{self, AuditEvent, Filter};

/// The most rows of an export.
const MAX_EXPORTED: u32 = 2_000;

/// The filters as they were received.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub actors: Vec<String>,
    pub actions: Vec<String>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// For an export: this many rows instead of a page.
    pub rows: u32,
}

/// The events of the caller's own tenant, or of the platform; the newest first.
pub(crate) async fn list(app: &App, caller: &Caller, wanted: Wanted, page: &Page) -> Result<Paged<AuditEvent>> {
    let scope = Scope::of(caller)?;
    match scope.tenant() {
        Some(_) => caller.admin().map(|_| ())?,
        None => caller.super_admin().map(|_| ())?,
    }
    if wanted.since.zip(wanted.until).is_some_and(|(since, until)| since >= until) {
        return Err(Error::invalid("until", "This is not after since."));
    }
    let filter = Filter {
        // An id that is none belongs to nobody.
        actors: wanted.actors.iter().map(|id| Uuid::try_parse(id).unwrap_or_default()).collect(),
        actions: wanted.actions,
        since: wanted.since,
        until: wanted.until,
    };
    let (tenant, window) = match wanted.rows {
        0 => (scope.tenant(), (i64::from(page.size), page.offset())),
        rows => (scope.tenant(), (i64::from(rows.min(MAX_EXPORTED)), 0)),
    };
    let (count, rows) = app
        .pg
        .read(scope.search(), async |conn: &Conn| {
            let rows = audit_events::list(conn, tenant, &filter, window);
            if wanted.rows > 0 {
                return Ok((None, rows.await?));
            }
            kit_pg::page(page, audit_events::count(conn, tenant, &filter), rows).await
        })
        .await?;
    Ok(Paged { rows, count, next_cursor: None })
}
