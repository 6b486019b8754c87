use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit::page::Page;
use kit_pg::{Conn, TxError, of_tenant};
use uuid::Uuid;

use super::payments::Whose;
use crate::schema::{subscriptions, tenants};

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = subscriptions)]
pub(crate) struct Subscription {
    pub tenant_id: Uuid,
    pub is_premium: bool,
    pub activated_at: Option<DateTime<Utc>>,
    pub source: String,
    pub payment_id: Option<Uuid>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

pub(crate) async fn find(mut conn: &Conn, id: TenantId) -> Result<Option<Subscription>, TxError> {
    let own = subscriptions::table.filter(of_tenant(subscriptions::tenant_id, id));
    Ok(own.select(Subscription::as_select()).first(&mut conn).await.optional()?)
}

/// Grants premium for a payment; `None` when the tenant is premium already.
pub(crate) async fn grant(
    conn: &mut Conn,
    id: TenantId,
    payment: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Subscription>, TxError> {
    let row = Subscription {
        tenant_id: id.0,
        is_premium: true,
        activated_at: Some(now),
        source: "payment".to_owned(),
        payment_id: Some(payment),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let inserted =
        diesel::insert_into(subscriptions::table).values(&row).on_conflict_do_nothing().execute(conn).await?;
    if inserted == 1 {
        return Ok(Some(row));
    }
    let ended = subscriptions::table.find(id.0).filter(subscriptions::is_premium.eq(false));
    Ok(diesel::update(ended)
        .set((
            subscriptions::is_premium.eq(true),
            subscriptions::activated_at.eq(now),
            subscriptions::source.eq("payment"),
            subscriptions::payment_id.eq(payment),
            subscriptions::version.eq(subscriptions::version + 1),
            subscriptions::updated_at.eq(now),
        ))
        .returning(Subscription::as_returning())
        .get_result(conn)
        .await
        .optional()?)
}

/// Ends the premium that this payment gave; returns the subscription's new version, or nothing when it gives none now.
pub(crate) async fn end(
    conn: &mut Conn,
    id: TenantId,
    payment: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<i64>, TxError> {
    let given =
        subscriptions::table.find(id.0).filter(subscriptions::is_premium).filter(subscriptions::payment_id.eq(payment));
    Ok(diesel::update(given)
        .set((
            subscriptions::is_premium.eq(false),
            subscriptions::version.eq(subscriptions::version + 1),
            subscriptions::updated_at.eq(now),
        ))
        .returning(subscriptions::version)
        .get_result(conn)
        .await
        .optional()?)
}

/// Which subscriptions of all tenants are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub tenant: Option<TenantId>,
    pub is_premium: Option<bool>,
}

fn wanted(wanted: &Wanted) -> subscriptions::BoxedQuery<'static, diesel::pg::Pg> {
    let mut all = subscriptions::table.into_boxed();
    if let Some(tenant) = wanted.tenant {
        all = all.filter(of_tenant(subscriptions::tenant_id, tenant));
    }
    if let Some(is_premium) = wanted.is_premium {
        all = all.filter(subscriptions::is_premium.eq(is_premium));
    }
    all
}

/// The number of subscriptions of all tenants; needs the scope of the platform.
pub(crate) async fn count_all(mut conn: &Conn, filters: &Wanted) -> Result<i64, TxError> {
    Ok(wanted(filters).count().get_result(&mut conn).await?)
}

/// The subscriptions of all tenants, the newest first; needs the scope of the platform.
pub(crate) async fn list_all(
    mut conn: &Conn,
    filters: &Wanted,
    page: &Page,
) -> Result<Vec<(Subscription, Whose)>, TxError> {
    let of_row = || tenants::table.filter(tenants::id.eq(subscriptions::tenant_id));
    let newest = wanted(filters).order((subscriptions::created_at.desc(), subscriptions::tenant_id.desc()));
    let rows: Vec<(Subscription, Option<String>, Option<bool>)> = newest
        .limit(page.size.into())
        .offset(page.offset())
        .select((
            Subscription::as_select(),
            of_row().select(tenants::name).single_value(),
            of_row().select(tenants::is_active).single_value(),
        ))
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().map(|(row, name, is_active)| (row, name.zip(is_active))).collect())
}

/// The tenants that are premium and whose subscription names no payment; needs the worker's scope.
pub(crate) async fn without_payment(mut conn: &Conn) -> Result<Vec<Uuid>, TxError> {
    let unpaid = subscriptions::table.filter(subscriptions::is_premium).filter(subscriptions::payment_id.is_null());
    Ok(unpaid.select(subscriptions::tenant_id).load(&mut conn).await?)
}
