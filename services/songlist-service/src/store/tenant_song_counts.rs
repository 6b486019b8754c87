//! Stored counts of the songs on a tenant's list, for the count that a page shows. They are updated with every write of
//! a link. With other filters than approval, `tenant_songs::count` counts the rows.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, of_tenant};

use crate::schema::{songs, tenant_song_counts, tenant_songs};

/// Adds to the counts of a tenant (negative numbers subtract), in the transaction that writes the links.
pub(super) async fn add(conn: &mut Conn, id: TenantId, total: i64, approved: i64) -> Result<(), TxError> {
    if total == 0 && approved == 0 {
        return Ok(());
    }
    diesel::insert_into(tenant_song_counts::table)
        .values((
            tenant_song_counts::tenant_id.eq(id.0),
            tenant_song_counts::total.eq(total),
            tenant_song_counts::approved.eq(approved),
        ))
        .on_conflict(tenant_song_counts::tenant_id)
        .do_update()
        .set((
            tenant_song_counts::total.eq(tenant_song_counts::total + total),
            tenant_song_counts::approved.eq(tenant_song_counts::approved + approved),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// The stored count of a tenant's links: all of them, the approved ones, or those not approved.
pub(super) async fn kept(mut conn: &Conn, id: TenantId, is_active: Option<bool>) -> Result<i64, TxError> {
    // Links to songs that were deleted a moment ago are still in the stored counts.
    let gone = || {
        tenant_songs::table
            .inner_join(songs::table)
            .filter(of_tenant(tenant_songs::tenant_id, id))
            .filter(tenant_songs::deleted_at.is_null())
            .filter(songs::deleted_at.is_not_null())
            .filter(diesel::dsl::not(songs::counted_out))
    };
    let kept: Option<(i64, i64, Option<i64>, Option<i64>)> = tenant_song_counts::table
        .filter(of_tenant(tenant_song_counts::tenant_id, id))
        .select((
            tenant_song_counts::total,
            tenant_song_counts::approved,
            gone().count().single_value(),
            gone().filter(tenant_songs::is_active).count().single_value(),
        ))
        .first(&mut conn)
        .await
        .optional()?;
    let (total, approved, gone, gone_approved) = kept.unwrap_or_default();
    let (total, approved) = (total - gone.unwrap_or(0), approved - gone_approved.unwrap_or(0));
    Ok(match is_active {
        None => total,
        Some(true) => approved,
        Some(false) => total - approved,
    })
}
