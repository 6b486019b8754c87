//! The ledger and the receipts.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, of_tenant};
use uuid::Uuid;

use super::payments::Payment;
use crate::schema::{ledger_lines, payments, receipts, tenants};

/// A line of an entry.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = ledger_lines)]
pub(crate) struct Line {
    pub entry: String,
    pub account: String,
    pub payment_id: Uuid,
    pub tenant_id: Uuid,
    /// Debits are positive and credits negative; the smallest unit.
    pub amount_minor: i64,
    pub currency: String,
    pub created_at: DateTime<Utc>,
}

/// Writes the lines of an entry, once.
pub(crate) async fn post(conn: &mut Conn, lines: &[Line]) -> Result<(), TxError> {
    diesel::insert_into(ledger_lines::table).values(lines).on_conflict_do_nothing().execute(conn).await?;
    Ok(())
}

/// Writes the receipt of a payment; false when it has one.
pub(crate) async fn issue_receipt(conn: &mut Conn, row: &Payment, now: DateTime<Utc>) -> Result<bool, TxError> {
    let values = (
        receipts::payment_id.eq(row.id),
        receipts::tenant_id.eq(row.tenant_id),
        receipts::amount_minor.eq(row.amount_minor),
        receipts::currency.eq(&row.currency),
        receipts::created_at.eq(now),
    );
    Ok(diesel::insert_into(receipts::table).values(values).on_conflict_do_nothing().execute(conn).await? == 1)
}

/// The lines of a payment: entry, account and amount, in order.
pub(crate) async fn of_payment(mut conn: &Conn, payment: Uuid) -> Result<Vec<(String, String, i64)>, TxError> {
    let mut lines: Vec<(String, String, i64)> = ledger_lines::table
        .filter(ledger_lines::payment_id.eq(payment))
        .select((ledger_lines::entry, ledger_lines::account, ledger_lines::amount_minor))
        .load(&mut conn)
        .await?;
    lines.sort();
    Ok(lines)
}

/// Which lines are exported.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub from: DateTime<Utc>,
    /// Not included.
    pub until: DateTime<Utc>,
    pub tenant: Option<TenantId>,
}

/// The place of a line among all, in the order of their time.
pub(crate) type Place = (DateTime<Utc>, String, String);

/// A line with its payment's reference, and the tenant's name.
pub(crate) type NamedLine = (Line, String, Option<String>);

/// The lines of a span of time behind a place, in the order of their time.
pub(crate) async fn in_span(
    mut conn: &Conn,
    span: &Span,
    after: Option<&Place>,
    limit: i64,
) -> Result<Vec<NamedLine>, TxError> {
    use ledger_lines as l;
    let mut lines = l::table.inner_join(payments::table).into_boxed();
    lines = lines.filter(l::created_at.ge(span.from).and(l::created_at.lt(span.until)));
    if let Some(tenant) = span.tenant {
        lines = lines.filter(of_tenant(l::tenant_id, tenant));
    }
    if let Some((at, entry, account)) = after {
        let later = l::entry.gt(entry).or(l::entry.eq(entry).and(l::account.gt(account)));
        lines = lines.filter(l::created_at.ge(at).and(l::created_at.gt(at).or(later)));
    }
    let name = tenants::table.filter(tenants::id.eq(l::tenant_id)).select(tenants::name).single_value();
    Ok(lines
        .order((l::created_at, l::entry, l::account))
        .limit(limit)
        .select((Line::as_select(), payments::reference_id, name))
        .load(&mut conn)
        .await?)
}
