//! Pages of a list that are far from its beginning: their links are found in an index alone, from a landmark on or by skipping.

use diesel::dsl::{SqlTypeOf, case_when, exists, sql};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, Window, Windowed};
use uuid::Uuid;

use super::{filtered, matching, ordered};
use crate::schema::tenant_songs;
use crate::store::filters::{Filters, Order, SortBy};
use crate::store::tenant_songs::{Query, deleted, linked};
use crate::store::{tenant_song_histograms, tenant_song_landmarks};

type IdQuery = tenant_songs::BoxedQuery<'static, Pg, SqlTypeOf<tenant_songs::id>>;

/// The ids of a deep page. What is skipped is skipped in an index that has all that is asked for; the few deleted songs are read
/// once. As a condition of the join that `NOT EXISTS` is, they would be looked up for each skipped row.
pub(super) fn deep_page(id: TenantId, filters: &Filters, order: Order, window: Window) -> Windowed<IdQuery> {
    if !filters.plain() {
        return window.of(ordered(filtered(id, filters), order).select(tenant_songs::id));
    }
    window.of(ordered(skippable(id, filters), order).select(tenant_songs::id))
}

/// The links of a list whose only filter is that for approval, to be skipped.
fn skippable(id: TenantId, filters: &Filters) -> Query {
    let is_live = case_when(exists(deleted()), sql::<Bool>("FALSE")).otherwise(sql::<Bool>("TRUE"));
    matching(linked(id).filter(is_live), filters, |_| false)
}

/// Where in a list rows are read from, with the number of links before it; `None` when nothing is known of the list. The first links are
/// the oldest ones, those with the lowest title, artist or year.
async fn landmark(
    conn: &Conn,
    id: TenantId,
    filters: &Filters,
    by: SortBy,
    position: i64,
) -> Result<Option<(Query, i64)>, TxError> {
    use tenant_songs as t;
    let links = skippable(id, filters);
    if matches!(by, SortBy::CreatedAt | SortBy::Duration) {
        let landmark = tenant_song_landmarks::before(conn, id, filters.is_active, position).await?;
        return Ok(landmark.map(|landmark| (links.filter(t::created_at.ge(landmark.created_at)), landmark.older)));
    }
    let bucket = tenant_song_histograms::bucket_at(conn, id, filters.is_active, by, position).await?;
    Ok(bucket.map(|bucket| {
        let from = match by {
            SortBy::Title => links.filter(t::title_norm.ge(bucket.text())),
            SortBy::Artist => links.filter(t::artist_norm.ge(bucket.text())),
            _ => links.filter(t::release_year.ge(bucket.year())),
        };
        (from, bucket.before)
    }))
}

/// The ids of a deep page, from the landmark before it on; `None` when the list has none there, or an end of the list is nearer.
pub(super) async fn from_landmark(
    mut conn: &Conn,
    id: TenantId,
    filters: &Filters,
    order: Order,
    window: Window,
    count: i64,
) -> Result<Option<Vec<Uuid>>, TxError> {
    let from_end = window.from_end(count);
    let (rows, nearer_end) = (from_end.rows, window.offset.min(from_end.offset));
    let position = if order.descending { from_end.offset } else { window.offset };
    let (from, before) = match landmark(conn, id, filters, order.by, position).await? {
        Some((from, before)) if position - before < nearer_end => (from, before),
        _ => return Ok(None),
    };
    let ascending = ordered(from, Order { descending: false, ..order }).select(tenant_songs::id);
    let window = Window { rows, offset: position - before };
    let mut ids: Vec<Uuid> = window.of(ascending).load(&mut conn).await?;
    ids.truncate(usize::try_from(rows).unwrap_or(usize::MAX));
    if order.descending {
        ids.reverse();
    }
    Ok(Some(ids))
}
