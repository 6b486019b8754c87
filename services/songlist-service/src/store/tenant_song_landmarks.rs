//! Landmarks of long lists: times, and how many links of the list are older. A page in the middle is read from the landmark before
//! it on, and not from an end of the list. What has changed since a landmark was made stands beside it, written by triggers.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, fixed_sql};
use uuid::Uuid;

use super::samples::Sampled;
use super::tenant_song_counts::NOT_COUNTED_OUT;

/// Lists of so many links have landmarks; a shorter one is read from its ends in a few milliseconds.
pub(super) const LONG: i64 = 20_000;
/// Links between two landmarks. When they are more than twice as many, landmarks are added.
const BETWEEN: i64 = 2_000;
/// With more changes than this beside the landmarks, reading them takes longer than skipping.
pub(super) const MOST_CHANGES: i64 = 50_000;
/// Changes that are put into landmarks at once.
pub(super) const PUT_IN_AT_ONCE: i64 = 100_000;

/// A time, and the number of links that are older.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub(crate) struct Landmark {
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    pub older: i64,
}

/// The last landmark of a list with at most `position` older links; `None` when there is none, or too much has changed since the
/// landmarks were made. The list is the whole one, that of
/// approved links or that of the others.
pub(super) async fn before(
    mut conn: &Conn,
    tenant: TenantId,
    is_active: Option<bool>,
    position: i64,
) -> Result<Option<Landmark>, TxError> {
    // Changes at the time of a landmark come behind it: they are not older.
    const BEFORE: &str = "
        WITH steps AS (
            SELECT created_at, $older AS older, 0 AS by FROM tenant_song_landmarks WHERE tenant_id = $1
            UNION ALL
            SELECT created_at, NULL, $by FROM tenant_song_landmark_changes WHERE tenant_id = $1
            UNION ALL
            SELECT l.created_at, NULL, -1
            FROM ($songs) s
            CROSS JOIN LATERAL (
                SELECT created_at FROM tenant_songs l
                WHERE tenant_id = $1 AND song_id = s.id AND deleted_at IS NULL AND $listed OFFSET 0
            ) l
        ), landmarks AS (
            SELECT created_at, older, older + sum(by) OVER (ORDER BY created_at, older NULLS LAST ROWS UNBOUNDED PRECEDING) AS now
            FROM steps
        )
        SELECT created_at, now::bigint AS older FROM landmarks
        WHERE older IS NOT NULL AND now <= $2
          AND (SELECT count(*) FROM (SELECT FROM tenant_song_landmark_changes WHERE tenant_id = $1 LIMIT $3 + 1) few) <= $3
        ORDER BY now DESC, created_at DESC LIMIT 1";
    let (older, by, listed) = match is_active {
        None => ("older", "total", "TRUE"),
        Some(true) => ("older_approved", "approved", "l.is_active"),
        Some(false) => ("older - older_approved", "total - approved", "NOT l.is_active"),
    };
    let query = BEFORE.replace("$older", older).replace("$by", by).replace("$listed", listed);
    let query = query.replace("$songs", &NOT_COUNTED_OUT.replace("$tenant", "$1"));
    let found = diesel::sql_query(query).bind::<SqlUuid, _>(tenant.0).bind::<BigInt, _>(position);
    let found = found.bind::<BigInt, _>(MOST_CHANGES);
    Ok(found.get_result(&mut conn).await.optional()?)
}

/// A thousand links at most, some behind each of a few landmarks, since what is imported together is alike; the same ones for all pages.
/// Nothing when the list has no landmarks.
pub(super) async fn sample(mut conn: &Conn, tenant: TenantId) -> Result<Vec<Sampled>, TxError> {
    const SAMPLE: &str = "
        SELECT l.*
        FROM (SELECT created_at FROM tenant_song_landmarks WHERE tenant_id = ? ORDER BY md5(created_at::text) LIMIT 20) m
        CROSS JOIN LATERAL (
            SELECT title_norm, artist_norm, album_norm, genre_id, is_global, is_active FROM tenant_songs
            WHERE tenant_id = ? AND deleted_at IS NULL AND created_at >= m.created_at ORDER BY created_at, id LIMIT 50
        ) l";
    let sample = fixed_sql::<(Text, Text, Text, SqlUuid, Bool, Bool)>(SAMPLE);
    Ok(sample.bind::<SqlUuid, _>(tenant.0).bind::<SqlUuid, _>(tenant.0).load(&mut conn).await?)
}

/// The tenants whose landmarks do not contain all changes, or whose list has become long.
pub(super) async fn to_complete(mut conn: &Conn) -> Result<Vec<TenantId>, TxError> {
    const TO_COMPLETE: &str = "
        SELECT tenant_id FROM tenant_song_landmark_changes
        UNION
        SELECT c.tenant_id FROM tenant_song_counts c
        WHERE c.total >= $1 AND NOT EXISTS (SELECT FROM tenant_song_landmarks l WHERE l.tenant_id = c.tenant_id)";
    let found: Vec<Tenant> = diesel::sql_query(TO_COMPLETE).bind::<BigInt, _>(LONG).load(&mut conn).await?;
    Ok(found.into_iter().map(|row| TenantId(row.tenant_id)).collect())
}

#[derive(QueryableByName)]
pub(super) struct Tenant {
    #[diesel(sql_type = SqlUuid)]
    pub(super) tenant_id: Uuid,
}

/// Puts the changes of a list into its landmarks, unless somebody else does.
pub(super) async fn put_in(conn: &mut Conn, tenant: TenantId) -> Result<(), TxError> {
    if lock(conn, tenant).await? {
        let put_in = diesel::sql_query(PUT_IN).bind::<SqlUuid, _>(tenant.0);
        put_in.bind::<BigInt, _>(PUT_IN_AT_ONCE).execute(conn).await?;
    }
    Ok(())
}

/// Adds landmarks where a list has too few, unless somebody else does. Returns how many were added. In a transaction of its own: when it
/// takes too long, changes have been put into those that are there.
pub(super) async fn add(conn: &mut Conn, tenant: TenantId) -> Result<usize, TxError> {
    if !lock(conn, tenant).await? {
        return Ok(0);
    }
    // The first landmarks of a list of ten million take ten seconds.
    diesel::sql_query("SET LOCAL statement_timeout = '20s'").execute(conn).await?;
    let add = diesel::sql_query(ADD).bind::<SqlUuid, _>(tenant.0);
    Ok(add.bind::<BigInt, _>(LONG).bind::<BigInt, _>(BETWEEN).execute(conn).await?)
}

/// Two of these would each overlook what the other one does with the changes that both see.
pub(super) async fn lock(conn: &mut Conn, tenant: TenantId) -> Result<bool, TxError> {
    const LOCK: &str = "SELECT pg_try_advisory_xact_lock(hashtextextended('landmarks ' || $1, 0)) AS is_mine";
    let lock: Lock = diesel::sql_query(LOCK).bind::<SqlUuid, _>(tenant.0).get_result(conn).await?;
    Ok(lock.is_mine)
}

#[derive(QueryableByName)]
struct Lock {
    #[diesel(sql_type = Bool)]
    is_mine: bool,
}

const PUT_IN: &str = "
    WITH changes AS (
        DELETE FROM tenant_song_landmark_changes
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM tenant_song_landmark_changes WHERE tenant_id = $1 LIMIT $2))
        RETURNING created_at, total, approved
    ), steps AS (
        SELECT created_at, total, approved, false AS is_landmark FROM changes
        UNION ALL
        SELECT created_at, 0, 0, true FROM tenant_song_landmarks WHERE tenant_id = $1
    ), moves AS (
        SELECT created_at, is_landmark, sum(total) OVER before AS total, sum(approved) OVER before AS approved
        FROM steps WINDOW before AS (ORDER BY created_at, is_landmark DESC ROWS UNBOUNDED PRECEDING)
    )
    UPDATE tenant_song_landmarks l SET older = l.older + m.total, older_approved = l.older_approved + m.approved
    FROM moves m
    WHERE m.is_landmark AND l.tenant_id = $1 AND l.created_at = m.created_at AND (m.total <> 0 OR m.approved <> 0)";

/// Counts the links from the landmark before each long gap on; the oldest link is a landmark too, so that a list which came at one time
/// has one. Changes that were committed a moment ago are in this count, and will be
/// put into the new landmarks once more: so they are subtracted.
const ADD: &str = "
    WITH list AS (
        SELECT total FROM tenant_song_counts WHERE tenant_id = $1 AND total >= $2
    ), landmarks AS (
        SELECT created_at, older, older_approved FROM tenant_song_landmarks WHERE tenant_id = $1
        UNION ALL
        SELECT '-infinity', 0, 0
    ), gaps AS (
        SELECT l.created_at AS low, lead(l.created_at, 1, 'infinity') OVER in_order AS high, l.older, l.older_approved,
               lead(l.older, 1, list.total) OVER in_order - l.older AS links
        FROM landmarks l, list WINDOW in_order AS (ORDER BY l.created_at)
    ), times AS (
        SELECT g.low, g.older, g.older_approved, t.*
        FROM gaps g CROSS JOIN LATERAL (
            SELECT created_at, sum(links) OVER before - links AS links_before,
                   sum(approved) OVER before - approved AS approved_before,
                   lag(links, 1, 0::bigint) OVER before AS links_of_last
            FROM (
                SELECT l.created_at, count(*) AS links, count(*) FILTER (WHERE l.is_active) AS approved
                FROM tenant_songs l
                WHERE l.tenant_id = $1 AND l.deleted_at IS NULL AND l.created_at >= g.low AND l.created_at < g.high
                  AND NOT EXISTS (SELECT FROM songs s WHERE s.id = l.song_id AND s.deleted_at IS NOT NULL AND s.counted_out)
                GROUP BY l.created_at
            ) at WINDOW before AS (ORDER BY created_at ROWS UNBOUNDED PRECEDING)
        ) t
        WHERE g.links > 2 * $3
    )
    INSERT INTO tenant_song_landmarks (tenant_id, created_at, older, older_approved)
    SELECT $1, t.created_at, t.older + t.links_before - coalesce(c.total, 0),
           t.older_approved + t.approved_before - coalesce(c.approved, 0)
    FROM times t CROSS JOIN LATERAL (
        SELECT sum(total) AS total, sum(approved) AS approved FROM tenant_song_landmark_changes
        WHERE tenant_id = $1 AND created_at >= t.low AND created_at < t.created_at
    ) c
    WHERE div(t.links_before, $3) > div(t.links_before - t.links_of_last, $3) OR (t.low = '-infinity' AND t.links_before = 0)
    ON CONFLICT DO NOTHING";
