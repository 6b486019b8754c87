use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, of_tenant};
use uuid::Uuid;

use crate::schema::subscriptions;

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
