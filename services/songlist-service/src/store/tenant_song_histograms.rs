//! Histograms of long lists: how many links have a title, or an artist, that begins with each letter, and how many are of each year. A
//! page in the middle of a list in one of these orders is read from the beginning of its bucket on, and not from an end of the list.
//! What has changed since a histogram was counted stands beside it, written by triggers.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError};

use super::filters::SortBy;
use super::tenant_song_counts::NOT_COUNTED_OUT;
use super::tenant_song_landmarks::{LONG, MOST_CHANGES, PUT_IN_AT_ONCE, Tenant, lock};

/// A bucket of an order, and the number of links in the buckets before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub(super) struct Bucket {
    #[diesel(sql_type = Integer)]
    bucket: i32,
    #[diesel(sql_type = BigInt)]
    pub before: i64,
}

impl Bucket {
    /// The first text of a bucket of titles or artists: the order of texts is that of their code points (C.UTF-8).
    pub(super) fn text(self) -> String {
        let letter = u32::try_from(self.bucket).ok().and_then(char::from_u32);
        letter.filter(|letter| *letter != '\0').map(String::from).unwrap_or_default()
    }

    /// The year of a bucket of years.
    pub(super) fn year(self) -> i16 {
        i16::try_from(self.bucket).unwrap_or(i16::MIN)
    }
}

/// The bucket of a list that has the link at `position` in ascending order; `None` when the list has no histogram of this order, or too
/// much has changed since it was counted. The list is the whole one, that of approved links or that of the others.
pub(super) async fn bucket_at(
    mut conn: &Conn,
    tenant: TenantId,
    is_active: Option<bool>,
    by: SortBy,
    position: i64,
) -> Result<Option<Bucket>, TxError> {
    const AT: &str = "
        WITH rows AS MATERIALIZED (
            SELECT bucket, $links AS links, is_base FROM tenant_song_histograms WHERE tenant_id = $1 AND sorted_by = $4 LIMIT $3 + 1
        ), sums AS (
            SELECT bucket, sum(links) AS links FROM (
                SELECT bucket, links FROM rows
                UNION ALL
                SELECT l.bucket, -1
                FROM ($songs) s
                CROSS JOIN LATERAL (
                    SELECT $bucket AS bucket FROM tenant_songs l
                    WHERE tenant_id = $1 AND song_id = s.id AND deleted_at IS NULL AND $listed OFFSET 0
                ) l
            ) all_of_them GROUP BY bucket
        ), places AS (
            SELECT bucket, (sum(links) OVER (ORDER BY bucket) - links)::bigint AS before FROM sums
        )
        SELECT bucket, before FROM places
        WHERE before <= $2 AND (SELECT bool_or(is_base) AND count(*) <= $3 FROM rows)
        ORDER BY bucket DESC LIMIT 1";
    let Some((sorted_by, bucket)) = order(by) else { return Ok(None) };
    let (links, listed) = match is_active {
        None => ("total", "TRUE"),
        Some(true) => ("approved", "l.is_active"),
        Some(false) => ("total - approved", "NOT l.is_active"),
    };
    let query = AT.replace("$links", links).replace("$listed", listed).replace("$bucket", bucket);
    let query = query.replace("$songs", &NOT_COUNTED_OUT.replace("$tenant", "$1"));
    let found = diesel::sql_query(query).bind::<SqlUuid, _>(tenant.0).bind::<BigInt, _>(position);
    let found = found.bind::<BigInt, _>(MOST_CHANGES).bind::<Text, _>(sorted_by);
    Ok(found.get_result(&mut conn).await.optional()?)
}

/// The tenants whose histograms have changes, or whose list has become long.
pub(super) async fn to_complete(mut conn: &Conn) -> Result<Vec<TenantId>, TxError> {
    const TO_COMPLETE: &str = "
        SELECT tenant_id FROM tenant_song_histograms WHERE NOT is_base
        UNION
        SELECT c.tenant_id FROM tenant_song_counts c
        WHERE c.total >= $1 AND (
            SELECT count(DISTINCT h.sorted_by) FROM tenant_song_histograms h WHERE h.tenant_id = c.tenant_id AND h.is_base
        ) < 3";
    let found: Vec<Tenant> = diesel::sql_query(TO_COMPLETE).bind::<BigInt, _>(LONG).load(&mut conn).await?;
    Ok(found.into_iter().map(|row| TenantId(row.tenant_id)).collect())
}

/// Adds the changes of a list to its base, unless somebody else does. Those of an order without one are not needed.
pub(super) async fn put_in(conn: &mut Conn, tenant: TenantId) -> Result<(), TxError> {
    const PUT_IN: &str = "
        WITH changes AS (
            DELETE FROM tenant_song_histograms
            WHERE ctid = ANY (ARRAY(SELECT ctid FROM tenant_song_histograms WHERE tenant_id = $1 AND NOT is_base LIMIT $2))
            RETURNING sorted_by, bucket, total, approved
        ), sums AS (
            SELECT sorted_by, bucket, sum(total)::bigint AS total, sum(approved)::bigint AS approved
            FROM changes GROUP BY sorted_by, bucket
        ), added AS (
            UPDATE tenant_song_histograms h SET total = h.total + s.total, approved = h.approved + s.approved
            FROM sums s WHERE h.tenant_id = $1 AND h.is_base AND h.sorted_by = s.sorted_by AND h.bucket = s.bucket
            RETURNING h.sorted_by, h.bucket
        )
        INSERT INTO tenant_song_histograms (tenant_id, sorted_by, bucket, total, approved, is_base)
        SELECT $1, sorted_by, bucket, total, approved, true FROM sums
        WHERE (sorted_by, bucket) NOT IN (SELECT sorted_by, bucket FROM added)
          AND sorted_by IN (SELECT sorted_by FROM tenant_song_histograms WHERE tenant_id = $1 AND is_base)";
    if lock(conn, tenant).await? {
        let put_in = diesel::sql_query(PUT_IN).bind::<SqlUuid, _>(tenant.0);
        put_in.bind::<BigInt, _>(PUT_IN_AT_ONCE).execute(conn).await?;
    }
    Ok(())
}

/// Counts the base of a long list that has none in this order, unless somebody else does. Changes that stand beside it are in this count
/// too, so they are subtracted. In a transaction of its own, because it takes long: six seconds for ten million links.
pub(super) async fn add(conn: &mut Conn, tenant: TenantId, by: SortBy) -> Result<(), TxError> {
    const ADD: &str = "
        INSERT INTO tenant_song_histograms (tenant_id, sorted_by, bucket, total, approved, is_base)
        SELECT $1, $3, bucket, sum(total), sum(approved), true
        FROM (
            SELECT $bucket AS bucket, count(*) AS total, count(*) FILTER (WHERE l.is_active) AS approved
            FROM tenant_songs l
            WHERE l.tenant_id = $1 AND l.deleted_at IS NULL
              AND NOT EXISTS (SELECT FROM songs s WHERE s.id = l.song_id AND s.deleted_at IS NOT NULL AND s.counted_out)
            GROUP BY 1
            UNION ALL
            SELECT bucket, -total, -approved FROM tenant_song_histograms WHERE tenant_id = $1 AND sorted_by = $3
        ) counted
        WHERE EXISTS (SELECT FROM tenant_song_counts WHERE tenant_id = $1 AND total >= $2)
          AND NOT EXISTS (SELECT FROM tenant_song_histograms WHERE tenant_id = $1 AND sorted_by = $3 AND is_base)
        GROUP BY bucket";
    let Some((sorted_by, bucket)) = order(by) else { return Ok(()) };
    if lock(conn, tenant).await? {
        diesel::sql_query("SET LOCAL statement_timeout = '20s'").execute(conn).await?;
        let add = diesel::sql_query(ADD.replace("$bucket", bucket)).bind::<SqlUuid, _>(tenant.0);
        add.bind::<BigInt, _>(LONG).bind::<Text, _>(sorted_by).execute(conn).await?;
    }
    Ok(())
}

/// The orders that have histograms.
pub(super) const ORDERS: [SortBy; 3] = [SortBy::Title, SortBy::Artist, SortBy::ReleaseYear];

/// The name of an order, and the bucket of a link `l`, as the function `buckets_of` says it, by which triggers count.
fn order(by: SortBy) -> Option<(&'static str, &'static str)> {
    match by {
        SortBy::Title => Some(("title", "ascii(l.title_norm)")),
        SortBy::Artist => Some(("artist", "ascii(l.artist_norm)")),
        SortBy::ReleaseYear => Some(("release_year", "l.release_year::integer")),
        SortBy::CreatedAt | SortBy::Duration => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_begins_with_its_letter_and_the_first_one_with_nothing() {
        let text = |bucket| Bucket { bucket, before: 0 }.text();
        assert_eq!([text(0), text(109), text(0x6771)], ["", "m", "東"]);
        assert_eq!(Bucket { bucket: 1_999, before: 0 }.year(), 1_999);
    }
}
