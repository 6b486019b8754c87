//! The artists of a tenant's list, which triggers keep: a filter by artist finds its artists first, and their songs by them.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, contains_any, of_tenant, one_of};

use super::filters::{Filters, have_trigrams};
use super::indexed_parts::contains;
use super::samples::{Sampled, share};
use super::search::Condition;
use crate::schema::{tenant_artists, tenant_songs};

/// So many artists are a condition of the index by artist.
const FEW: i64 = 1_000;
/// When of a thousand links no more than this are by the artists that are wanted, they are looked up whatever else is.
const NARROW: i64 = 5;
/// When of a thousand links more than this are by the artists that are wanted, they are no good condition beside texts.
const BROAD: i64 = 100;

/// The artists whose compared form contains one of `parts`, each once or more often; `None` when they are more than a few.
pub(crate) async fn few_with(mut conn: &Conn, id: TenantId, parts: &[String]) -> Result<Option<Vec<String>>, TxError> {
    let artists: Vec<String> = tenant_artists::table
        .filter(of_tenant(tenant_artists::tenant_id, id))
        .filter(contains_any(tenant_artists::artist_norm, parts))
        .limit(FEW + 1)
        .select(tenant_artists::artist_norm)
        .load(&mut conn)
        .await?;
    Ok(i64::try_from(artists.len()).is_ok_and(|found| found <= FEW).then_some(artists))
}

/// True when a sample says that few links of a list are by these artists, or says nothing. When links are found by parts as well, these are
/// to be no rarer.
pub(super) fn are_narrow(sample: &[Sampled], artists: &[String], parts: Option<&Filters>) -> bool {
    let artists: HashSet<&str> = artists.iter().map(String::as_str).collect();
    let of_artists = share(sample, |row| artists.contains(row.artist_norm.as_str()));
    let of_parts = parts.and_then(|parts| share(sample, |row| row.matches(parts, None)));
    of_artists.is_none_or(|share| share <= NARROW || share <= BROAD && of_parts.is_none_or(|parts| share <= parts))
}

/// True for links to songs of the artists that a filter wants; parts of their names may be looked up in an index. Beside a title or an album
/// with trigrams it is not said who these artists are: the index of trigrams finds whole texts too, and would be read once for each of them.
pub(super) fn by_artist(filters: &Filters, is_looked_up: bool) -> Condition<tenant_songs::table> {
    let beside_trigrams = have_trigrams(&filters.title) || have_trigrams(&filters.album);
    match &filters.artists {
        Some(artists) if !beside_trigrams => Box::new(tenant_songs::artist_norm.eq_any(artists.clone())),
        _ => Box::new(contains(tenant_songs::artist_norm, &filters.artist, is_looked_up)),
    }
}

/// The same when no title or album narrows the list down: many artists are found first, and then their songs in an index. A part of one
/// letter is in most of them.
pub(super) fn by_many_artists(id: TenantId, filters: &Filters, is_looked_up: bool) -> Condition<tenant_songs::table> {
    let alone = filters.title.is_empty() && filters.album.is_empty();
    if filters.artists.is_none() && alone && filters.artist.iter().all(|part| part.chars().count() >= 2) {
        return by_artist_with(id, &filters.artist);
    }
    by_artist(filters, is_looked_up)
}

/// True for links to songs of artists whose compared form contains one of `parts`.
fn by_artist_with(id: TenantId, parts: &[String]) -> Condition<tenant_songs::table> {
    let artists = tenant_artists::table
        .filter(of_tenant(tenant_artists::tenant_id, id))
        .filter(contains_any(tenant_artists::artist_norm, parts))
        .select(tenant_artists::artist_norm);
    Box::new(one_of(tenant_songs::artist_norm, artists))
}

#[cfg(test)]
mod tests {
    use kit_pg::bootstrap::open;
    use testkit::TestDb;
    use testkit::schema::as_tenant;
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn new_artists_are_looked_up_by_key_also_when_statistics_say_that_there_is_only_one() {
        let db = TestDb::new("songlist", crate::MIGRATIONS).await.unwrap();
        let superuser = open(db.admin_url()).await.unwrap();
        let tenant = Uuid::from_u128(1);
        let songs = format!(
            "SET search_path = {}, extensions; \
             INSERT INTO genres (id, name, name_norm, created_at, updated_at) VALUES (md5('g')::uuid, 'g', 'g', now(), now()); \
             INSERT INTO songs (id, tenant_id, title, artist, title_norm, artist_norm, album_norm, genre_id, created_at, updated_at) \
             SELECT md5('s' || n)::uuid, '{tenant}', n, n, n, n, '', md5('g')::uuid, now(), now() FROM generate_series(1, 3000) n; \
             INSERT INTO tenant_artists VALUES (gen_random_uuid(), 'a'); ANALYZE tenant_artists",
            db.schema
        );
        superuser.batch_execute(&songs).await.unwrap();
        let client = open(&db.url().unwrap()).await.unwrap();
        client.batch_execute(&as_tenant(tenant)).await.unwrap();
        for (from, to) in [(1, 1), (2, 2_000), (2_001, 3_000)] {
            let links = format!(
                "INSERT INTO tenant_songs (id, tenant_id, song_id, is_active, title_norm, artist_norm, album_norm, genre_id, \
                 release_year, created_at, updated_at, title, artist) \
                 SELECT gen_random_uuid(), '{tenant}', md5('s' || n)::uuid, true, n, n, '', md5('g')::uuid, 0, now(), now(), n, n \
                 FROM generate_series({from}, {to}) n"
            );
            client.batch_execute(&links).await.unwrap();
        }
        let read = "SELECT seq_scan, idx_scan, idx_tup_fetch, (SELECT count(*) FROM tenant_artists) \
                    FROM pg_stat_xact_user_tables WHERE relid = 'tenant_artists'::regclass";
        let row = client.query_one(read, &[]).await.unwrap();
        let [whole, lookups, fetched, artists] = [0, 1, 2, 3].map(|column| row.get::<_, i64>(column));
        assert_eq!((whole, lookups, artists), (0, 3_000, 3_000), "the table is never read whole");
        assert_eq!(fetched, 0, "no artist is compared with others");
        client.batch_execute("ROLLBACK").await.unwrap();
    }

    #[test]
    fn few_artists_are_narrow_unless_they_have_many_links_or_parts_find_fewer() {
        // Of a thousand links 60 are by "abba", 200 by "queen"; 30 have "qz" in their title, 500 "o".
        let row = |place: usize| Sampled {
            artist_norm: ["queen", "x"][usize::from(place >= 200)]
                .replace('x', ["abba", "y"][usize::from(place >= 260)]),
            title_norm: ["qz", "o", "a"][usize::from(place >= 30) + usize::from(place >= 530)].to_owned(),
            ..Sampled::default()
        };
        let sample: Vec<Sampled> = (0..1_000).map(row).collect();
        let is_narrow = |sample: &[Sampled], title: &str, artist: &str, by_parts: bool| {
            let parts = Filters { title: vec![title.to_owned()], ..Filters::default() };
            are_narrow(sample, &[artist.to_owned()], by_parts.then_some(&parts))
        };
        assert!(is_narrow(&sample, "o", "abba", true));
        assert!(!is_narrow(&sample, "qz", "abba", true), "half as many have this part");
        assert!(is_narrow(&sample, "qz", "abba", false), "which no index finds");
        assert!(is_narrow(&sample, "qqq", "nobody", true), "hardly any link is theirs");
        assert!(!is_narrow(&sample, "o", "queen", true), "a fifth of all links");
        assert!(is_narrow(&[], "o", "queen", true), "nothing is known");
    }
}
