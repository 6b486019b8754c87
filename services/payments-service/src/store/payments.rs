use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit::page::Page;
use kit_pg::{Conn, TxError, of_tenant};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::schema::{payment_changes, payments, tenants};

#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset, Serialize, Deserialize)]
#[diesel(table_name = payments, treat_none_as_null = true)]
pub(crate) struct Payment {
    pub id: Uuid,
    pub tenant_id: Uuid,
    pub reference_id: String,
    pub status: String,
    pub amount_minor: i64,
    pub currency: String,
    pub attempt_number: i32,
    pub razorpay_payment_link_id: Option<String>,
    pub razorpay_order_id: Option<String>,
    pub razorpay_payment_id: Option<String>,
    pub payment_link_url: Option<String>,
    pub error_message: String,
    pub expires_at: Option<DateTime<Utc>>,
    pub paid_at: Option<DateTime<Utc>>,
    pub verified_at: Option<DateTime<Utc>>,
    pub activated_at: Option<DateTime<Utc>>,
    pub checked_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// When Razorpay is asked again; nothing when there is nothing left to learn.
    #[serde(default)]
    pub check_after: Option<DateTime<Utc>>,
    /// Money that bought nothing and has to go back.
    #[serde(default)]
    pub refund_due_minor: i64,
    /// Money that has gone back.
    #[serde(default)]
    pub refunded_minor: i64,
    #[serde(default)]
    pub refunded_at: Option<DateTime<Utc>>,
    /// Who asked for the link, and gets the receipt.
    #[serde(default)]
    pub requested_by: Option<Uuid>,
}

/// A change of a payment's status, with its cause.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = payment_changes)]
pub(crate) struct Change {
    pub id: Uuid,
    pub payment_id: Uuid,
    pub tenant_id: Uuid,
    pub status: String,
    pub cause: String,
    pub created_at: DateTime<Utc>,
}

/// Inserts a payment unless the tenant has an open one; true when it was inserted.
pub(crate) async fn insert_if_none_open(conn: &mut Conn, row: &Payment) -> Result<bool, TxError> {
    Ok(diesel::insert_into(payments::table).values(row).on_conflict_do_nothing().execute(conn).await? == 1)
}

pub(crate) async fn insert_change(conn: &mut Conn, row: &Change) -> Result<(), TxError> {
    diesel::insert_into(payment_changes::table).values(row).execute(conn).await?;
    Ok(())
}

pub(crate) async fn find_open(mut conn: &Conn, id: TenantId) -> Result<Option<Payment>, TxError> {
    let open = payments::table
        .filter(of_tenant(payments::tenant_id, id))
        .filter(payments::status.eq_any(["CREATED", "PENDING"]));
    Ok(open.select(Payment::as_select()).first(&mut conn).await.optional()?)
}

pub(crate) async fn find(mut conn: &Conn, tenant: TenantId, id: Uuid) -> Result<Payment, TxError> {
    let own = payments::table.filter(of_tenant(payments::tenant_id, tenant)).filter(payments::id.eq(id));
    Ok(own.select(Payment::as_select()).first(&mut conn).await?)
}

/// A payment of any tenant; needs the scope of the platform.
pub(crate) async fn find_any(mut conn: &Conn, id: Uuid) -> Result<Payment, TxError> {
    Ok(payments::table.find(id).select(Payment::as_select()).first(&mut conn).await?)
}

/// A payment of any tenant, locked; needs the worker's scope.
pub(crate) async fn find_for_update(conn: &mut Conn, id: Uuid) -> Result<Payment, TxError> {
    Ok(payments::table.find(id).select(Payment::as_select()).for_update().first(conn).await?)
}

/// The payment of any tenant with this reference; needs the worker's scope.
pub(crate) async fn find_by_reference(mut conn: &Conn, reference: &str) -> Result<Option<Uuid>, TxError> {
    let found = payments::table.filter(payments::reference_id.eq(reference)).select(payments::id);
    Ok(found.first(&mut conn).await.optional()?)
}

/// The payment of any tenant to which a link or an order belongs; needs the worker's scope.
pub(crate) async fn find_by_gateway_ids(
    mut conn: &Conn,
    link: Option<&str>,
    order: Option<&str>,
) -> Result<Option<Uuid>, TxError> {
    if let Some(link) = link {
        let found = payments::table.filter(payments::razorpay_payment_link_id.eq(link)).select(payments::id);
        if let Some(id) = found.first(&mut conn).await.optional()? {
            return Ok(Some(id));
        }
    }
    let Some(order) = order else { return Ok(None) };
    let found = payments::table.filter(payments::razorpay_order_id.eq(order)).select(payments::id);
    Ok(found.first(&mut conn).await.optional()?)
}

pub(crate) async fn update(conn: &mut Conn, row: &Payment) -> Result<(), TxError> {
    diesel::update(payments::table.find(row.id)).set(row).execute(conn).await?;
    Ok(())
}

/// The number of payments that the tenant has ever started.
pub(crate) async fn count_attempts(mut conn: &Conn, id: TenantId) -> Result<i64, TxError> {
    Ok(payments::table.filter(of_tenant(payments::tenant_id, id)).count().get_result(&mut conn).await?)
}

/// Payments about which Razorpay has to be asked: first those that somebody waits for, then the others, each the longest due
/// first; needs the worker's scope.
pub(crate) async fn due(mut conn: &Conn, now: DateTime<Utc>, limit: i64) -> Result<Vec<Uuid>, TxError> {
    const OPEN: [&str; 3] = ["CREATED", "PENDING", "PAID"];
    let due = || payments::table.filter(payments::check_after.le(now)).order(payments::check_after);
    let open = due().filter(payments::status.eq_any(OPEN)).limit(limit).select(payments::id);
    let mut ids: Vec<Uuid> = open.load(&mut conn).await?;
    let rest = limit - i64::try_from(ids.len()).unwrap_or(limit);
    if rest > 0 {
        let others = due().filter(payments::status.ne_all(OPEN)).limit(rest).select(payments::id);
        ids.extend(others.load::<Uuid>(&mut conn).await?);
    }
    Ok(ids)
}

/// Has Razorpay asked about a payment again at a time.
pub(crate) async fn check_again(conn: &mut Conn, id: Uuid, at: DateTime<Utc>) -> Result<(), TxError> {
    diesel::update(payments::table.find(id)).set(payments::check_after.eq(at)).execute(conn).await?;
    Ok(())
}

/// When the last money of a span of time was known to have arrived; needs the worker's scope.
pub(crate) async fn last_paid(
    mut conn: &Conn,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, TxError> {
    let paid = payments::table.filter(payments::paid_at.between(since, until));
    Ok(paid.select(diesel::dsl::max(payments::paid_at)).first(&mut conn).await?)
}

pub(crate) async fn count(mut conn: &Conn, id: TenantId) -> Result<i64, TxError> {
    Ok(payments::table.filter(of_tenant(payments::tenant_id, id)).count().get_result(&mut conn).await?)
}

pub(crate) async fn list(mut conn: &Conn, id: TenantId, page: &Page) -> Result<Vec<Payment>, TxError> {
    let newest = payments::table
        .filter(of_tenant(payments::tenant_id, id))
        .order((payments::created_at.desc(), payments::id.desc()));
    let on_page = newest.limit(page.size.into()).offset(page.offset());
    Ok(on_page.select(Payment::as_select()).load(&mut conn).await?)
}

/// The history of the payments that [`list`] returns for the same page.
pub(crate) async fn changes_of_page(mut conn: &Conn, id: TenantId, page: &Page) -> Result<Vec<Change>, TxError> {
    let newest = payments::table
        .filter(of_tenant(payments::tenant_id, id))
        .order((payments::created_at.desc(), payments::id.desc()));
    let on_page = newest.limit(page.size.into()).offset(page.offset()).select(payments::id);
    Ok(payment_changes::table
        .filter(payment_changes::payment_id.eq_any(on_page))
        .order((payment_changes::created_at, payment_changes::id))
        .select(Change::as_select())
        .load(&mut conn)
        .await?)
}

pub(crate) async fn changes(mut conn: &Conn, ids: &[Uuid]) -> Result<Vec<Change>, TxError> {
    Ok(payment_changes::table
        .filter(payment_changes::payment_id.eq_any(ids.to_vec()))
        .order((payment_changes::created_at, payment_changes::id))
        .select(Change::as_select())
        .load(&mut conn)
        .await?)
}

/// Which payments of all tenants are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub tenant: Option<TenantId>,
    /// Any of these; all when there is none.
    pub statuses: Vec<String>,
    /// Those whose money has to go back, or the others.
    pub refund_due: Option<bool>,
}

/// Name of a tenant, and whether it is active; nothing for one that was never heard of.
pub(crate) type Whose = Option<(String, bool)>;

fn wanted(wanted: &Wanted) -> payments::BoxedQuery<'static, diesel::pg::Pg> {
    let mut all = payments::table.into_boxed();
    if let Some(tenant) = wanted.tenant {
        all = all.filter(of_tenant(payments::tenant_id, tenant));
    }
    match wanted.refund_due {
        Some(true) => all = all.filter(diesel::dsl::sql::<diesel::sql_types::Bool>("refund_due_minor > 0")),
        Some(false) => all = all.filter(payments::refund_due_minor.eq(0)),
        None => {}
    }
    if !wanted.statuses.is_empty() {
        all = all.filter(payments::status.eq_any(wanted.statuses.clone()));
    }
    all
}

/// The number of payments of all tenants; needs the scope of the platform.
pub(crate) async fn count_all(mut conn: &Conn, filters: &Wanted) -> Result<i64, TxError> {
    Ok(wanted(filters).count().get_result(&mut conn).await?)
}

/// The payments of all tenants, the newest first; needs the scope of the platform.
pub(crate) async fn list_all(mut conn: &Conn, filters: &Wanted, page: &Page) -> Result<Vec<(Payment, Whose)>, TxError> {
    let of_row = || tenants::table.filter(tenants::id.eq(payments::tenant_id));
    let newest = wanted(filters).order((payments::created_at.desc(), payments::id.desc()));
    let rows: Vec<(Payment, Option<String>, Option<bool>)> = newest
        .limit(page.size.into())
        .offset(page.offset())
        .select((
            Payment::as_select(),
            of_row().select(tenants::name).single_value(),
            of_row().select(tenants::is_active).single_value(),
        ))
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().map(|(row, name, is_active)| (row, name.zip(is_active))).collect())
}

/// A tenant's newest payments.
pub(crate) async fn of_tenant_newest(mut conn: &Conn, id: TenantId, limit: i64) -> Result<Vec<Payment>, TxError> {
    let newest = payments::table
        .filter(of_tenant(payments::tenant_id, id))
        .order((payments::created_at.desc(), payments::id.desc()));
    Ok(newest.limit(limit).select(Payment::as_select()).load(&mut conn).await?)
}

/// The ids of the payments of all tenants behind an id; needs the worker's scope.
pub(crate) async fn behind(mut conn: &Conn, after: Uuid, limit: i64) -> Result<Vec<Uuid>, TxError> {
    let rest = payments::table.filter(payments::id.gt(after)).order(payments::id).limit(limit);
    Ok(rest.select(payments::id).load(&mut conn).await?)
}

/// Makes everything due about which there may be something to learn; needs the worker's scope.
pub(crate) async fn make_due(conn: &mut Conn, now: DateTime<Utc>) -> Result<(), TxError> {
    let later = payments::table.filter(payments::check_after.gt(now));
    diesel::update(later).set(payments::check_after.eq(now)).execute(conn).await?;
    Ok(())
}
