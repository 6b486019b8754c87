//! Stored counts of the songs on a tenant's list, for the count that a page shows. They are updated with every write of
//! a link. With other filters than approval, `tenant_songs::count` counts the rows.

use std::sync::LazyLock;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, fixed_sql};

use crate::schema::tenant_song_counts;

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
    let kept = fixed_sql::<(BigInt, BigInt)>(&KEPT).bind::<SqlUuid, _>(id.0);
    let (total, approved): (i64, i64) = kept.get_result(&mut conn).await.optional()?.unwrap_or_default();
    Ok(match is_active {
        None => total,
        Some(true) => approved,
        Some(false) => total - approved,
    })
}

/// The songs of `$tenant` and GLOBAL ones that were deleted a moment ago: links to them are still in the stored counts. They are few and
/// read first, in the order of the index that has no others; `OFFSET 0` keeps the planner from joining them the other way round, which
/// it did while statistics did not know the list yet: an import then read all links that it had made, after each batch.
pub(super) const NOT_COUNTED_OUT: &str = "
    (SELECT id FROM songs
     WHERE tenant_id >= $tenant AND tenant_id <= $tenant AND deleted_at IS NOT NULL AND NOT counted_out ORDER BY tenant_id, id)
    UNION ALL
    (SELECT id FROM songs WHERE tenant_id IS NULL AND deleted_at IS NOT NULL AND NOT counted_out ORDER BY tenant_id, id)
    OFFSET 0";

/// The stored counts of a tenant without those songs.
static KEPT: LazyLock<String> = LazyLock::new(|| {
    const KEPT: &str = "
    SELECT c.total - gone.total AS total, c.approved - gone.approved AS approved
    FROM tenant_song_counts c CROSS JOIN LATERAL (
        SELECT count(*) AS total, count(*) FILTER (WHERE l.is_active) AS approved
        FROM ($songs) s
        CROSS JOIN LATERAL (
            SELECT is_active FROM tenant_songs
            WHERE tenant_id = c.tenant_id AND song_id = s.id AND deleted_at IS NULL OFFSET 0
        ) l
    ) gone
    WHERE c.tenant_id = ?";
    KEPT.replace("$songs", &NOT_COUNTED_OUT.replace("$tenant", "c.tenant_id"))
});

#[cfg(test)]
mod tests {
    use kit_pg::bootstrap::open;
    use testkit::TestDb;
    use testkit::schema::as_tenant;
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn the_count_of_a_list_does_not_read_the_list_also_when_statistics_say_that_it_is_short() {
        let db = TestDb::new("songlist", crate::MIGRATIONS).await.unwrap();
        let superuser = open(db.admin_url()).await.unwrap();
        let tenant = Uuid::from_u128(1);
        let song = |from: u32, to: u32| {
            format!(
                "INSERT INTO songs (id, tenant_id, title, artist, title_norm, artist_norm, album_norm, genre_id, created_at, updated_at) \
                 SELECT md5('s' || n)::uuid, '{tenant}', n, n, n, n, '', md5('g')::uuid, now(), now() FROM generate_series({from}, {to}) n; \
                 INSERT INTO tenant_songs (id, tenant_id, song_id, is_active, title_norm, artist_norm, album_norm, genre_id, \
                 release_year, created_at, updated_at, title, artist) \
                 SELECT gen_random_uuid(), '{tenant}', md5('s' || n)::uuid, n % 2 = 0, n, n, '', md5('g')::uuid, 0, now(), now(), n, n \
                 FROM generate_series({from}, {to}) n"
            )
        };
        let songs = format!(
            "SET search_path = {}, extensions; \
             INSERT INTO genres (id, name, name_norm, created_at, updated_at) VALUES (md5('g')::uuid, 'g', 'g', now(), now()); \
             {}; ANALYZE songs, tenant_songs; {}; INSERT INTO tenant_song_counts VALUES ('{tenant}', 3000, 1500); \
             UPDATE songs SET deleted_at = now() WHERE title IN ('1', '2', '3'); \
             INSERT INTO songs (id, tenant_id, title, artist, title_norm, artist_norm, album_norm, genre_id, created_at, updated_at, deleted_at) \
             SELECT gen_random_uuid(), md5('other')::uuid, n, n, n, n, '', md5('g')::uuid, now(), now(), now() FROM generate_series(1, 500) n",
            db.schema,
            song(1, 1),
            song(2, 3_000)
        );
        superuser.batch_execute(&songs).await.unwrap();
        let client = open(&db.url().unwrap()).await.unwrap();
        client.batch_execute(&as_tenant(tenant)).await.unwrap();
        client.batch_execute("SET LOCAL plan_cache_mode = force_generic_plan").await.unwrap();
        client.batch_execute(&format!("PREPARE kept (uuid) AS {}", KEPT.replace('?', "$1"))).await.unwrap();
        let count = client.query_one(&format!("EXECUTE kept ('{tenant}')"), &[]).await.unwrap();
        assert_eq!([0, 1].map(|column| count.get::<_, i64>(column)), [2_997, 1_499]);
        let read = "SELECT sum(seq_tup_read)::bigint, sum(idx_tup_fetch)::bigint FROM pg_stat_xact_user_tables \
                    WHERE relid IN ('songs'::regclass, 'tenant_songs'::regclass)";
        let row = client.query_one(read, &[]).await.unwrap();
        assert_eq!(
            [0, 1].map(|column| row.get::<_, i64>(column)),
            [0, 6],
            "each deleted song of the tenant and its link"
        );
        client.batch_execute("ROLLBACK").await.unwrap();
    }
}
