use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;
use kit_pg::{Conn, TxError};
use uuid::Uuid;

use crate::schema::lease;

/// Renews this process's lease, or takes one that has expired, for five seconds. Returns the fence, or `None` while
/// another process is the leader.
pub(crate) async fn take(conn: &mut Conn, me: Uuid) -> Result<Option<i64>, TxError> {
    let until = || diesel::dsl::sql::<Timestamptz>("now() + interval '5 seconds'");
    let own = lease::table.filter(lease::holder.eq(me)).filter(lease::expires_at.gt(diesel::dsl::now));
    let renewed: Option<i64> = diesel::update(own)
        .set(lease::expires_at.eq(until()))
        .returning(lease::fence)
        .get_result(conn)
        .await
        .optional()?;
    if renewed.is_some() {
        return Ok(renewed);
    }
    let expired = lease::table.filter(lease::expires_at.le(diesel::dsl::now));
    Ok(diesel::update(expired)
        .set((lease::holder.eq(me), lease::fence.eq(lease::fence + 1), lease::expires_at.eq(until())))
        .returning(lease::fence)
        .get_result(conn)
        .await
        .optional()?)
}

/// True while the leader has this fence. Locks the lease until the transaction ends, so that no other process becomes
/// the leader meanwhile.
pub(crate) async fn still_leads(conn: &mut Conn, fence: i64) -> Result<bool, TxError> {
    let leading: Option<i64> = lease::table
        .filter(lease::fence.eq(fence))
        .filter(lease::expires_at.gt(diesel::dsl::now))
        .select(lease::fence)
        .for_update()
        .first(conn)
        .await
        .optional()?;
    Ok(leading.is_some())
}

/// Releases the lease, so that another replica can become the leader at once.
pub(crate) async fn release(conn: &mut Conn, me: Uuid) -> Result<(), TxError> {
    diesel::update(lease::table.filter(lease::holder.eq(me)))
        .set(lease::expires_at.eq(diesel::dsl::now))
        .execute(conn)
        .await?;
    Ok(())
}
