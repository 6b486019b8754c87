//! Tests of the orders of the catalogue: each page is the one that sorting gives, and is read from the index of its order.

use kit_pg::Scope;
use testkit::schema::as_tenant;

use super::parts::Songs;
use super::*;
use crate::store::tenant_song_pages::plans::{plan, see_all_in_indexes};

const ORDERS: [SortBy; 5] = [SortBy::CreatedAt, SortBy::Title, SortBy::Artist, SortBy::ReleaseYear, SortBy::Duration];

/// Songs of which many have no year or no duration.
async fn with_gaps() -> Songs {
    let songs = Songs::new().await;
    let gaps = "UPDATE songs SET release_year = NULL WHERE md5(id::text) > 'a'; \
                UPDATE songs SET duration = NULL WHERE md5(id::text) < '8'; ANALYZE songs";
    songs.superuser.batch_execute(gaps).await.unwrap();
    songs
}

#[tokio::test]
async fn a_page_by_number_or_cursor_in_every_order_is_the_one_that_sorting_gives() {
    let songs = with_gaps().await;
    let catalogue = Catalogue::TenantAndGlobal(songs.tenant);
    for (number, by) in (0..).zip(ORDERS.into_iter().cycle().take(30)) {
        let order = Order { by, descending: number % 2 == 0 };
        let (visibility, seen) = match number / 10 {
            0 => (None, format!("(tenant_id IS NULL OR tenant_id = '{}')", songs.tenant.0)),
            1 => (Some(Visibility::Tenant), format!("tenant_id = '{}'", songs.tenant.0)),
            _ => (Some(Visibility::Global), "tenant_id IS NULL".to_owned()),
        };
        let missing = if order.descending { "NULLS LAST" } else { "NULLS FIRST" };
        let sorted = names(order).replace(", id", &format!(" {missing}, id"));
        let sorted = format!("SELECT id::text FROM songs WHERE deleted_at IS NULL AND {seen} ORDER BY {sorted}");
        let sorted: Vec<Uuid> = songs.texts(&sorted).await.iter().map(|id| Uuid::try_parse(id).unwrap()).collect();
        let filters = Filters { visibility, ..Filters::default() };
        let length = i64::try_from(sorted.len()).unwrap();
        assert!(length > 200, "{length}");
        for offset in [0, 7, length / 3, length / 2, length - 150, length - 5].map(|offset| offset.min(length - 5)) {
            let window = Window { rows: 21, offset };
            let pages = async |conn: &Conn| {
                let by_number = list(conn, catalogue, &filters, order, None, window, None).await?;
                let from_either_end = list(conn, catalogue, &filters, order, None, window, Some(length)).await?;
                let cursor = by_number.as_slice().first().map(|song| song.key(by));
                let window = Window { rows: 20, offset: 0 };
                let by_cursor = list(conn, catalogue, &filters, order, cursor.as_ref(), window, None).await?;
                Ok([by_number, from_either_end, by_cursor])
            };
            let pages = songs.pool.read(Scope::Tenant(songs.tenant), pages).await.unwrap();
            let [by_number, from_either_end, by_cursor] =
                pages.map(|page| page.iter().map(|song| song.id).collect::<Vec<_>>());
            let expected: Vec<Uuid> = sorted.iter().skip(usize::try_from(offset).unwrap()).take(21).copied().collect();
            assert_eq!(by_number, expected, "{order:?} {visibility:?} from {offset}");
            assert_eq!(from_either_end, expected, "{order:?} {visibility:?} from {offset}, from either end");
            assert_eq!(by_cursor, expected[1..], "{order:?} {visibility:?} behind {offset}");
        }
    }
}

#[tokio::test]
async fn songs_are_skipped_in_the_index_of_the_order_alone_and_a_cursor_is_its_condition() {
    let songs = with_gaps().await;
    see_all_in_indexes(&songs.superuser, "songs").await;
    let client = kit_pg::bootstrap::open(&songs.db.url().unwrap()).await.unwrap();
    client.batch_execute(&as_tenant(songs.tenant.0)).await.unwrap();
    let (catalogue, nil) = (Catalogue::TenantAndGlobal(songs.tenant), Uuid::nil());
    let by_cursor = [
        ("newest", "created_at", Key::Time(DateTime::default(), nil)),
        ("by_title", "title_norm", Key::Text(String::new(), nil)),
        ("by_artist", "artist_norm", Key::Text(String::new(), nil)),
        ("by_year", "release_year", Key::Number(Some(1_990), nil)),
        ("by_duration", "duration", Key::Number(None, nil)),
    ];
    for (by, (index, column, cursor)) in ORDERS.into_iter().zip(by_cursor) {
        for descending in [true, false] {
            let order = Order { by, descending };
            let lists = |after| {
                of_each_visibility(catalogue, &Filters::default())
                    .iter()
                    .map(|filters| ordered(catalogue, filters, order, after))
                    .collect::<Vec<_>>()
            };
            let tenant = songs.tenant.0;
            macro_rules! plan_of {
                ($key:expr) => {{
                    let lists = lists(None).into_iter().map(|list| list.select((songs::id, $key))).collect();
                    let page = merged(lists, names(order), Window { rows: 21, offset: 2_000 });
                    plan(&client, &page, &format!("'{tenant}', 2000, 2000, 2000")).await
                }};
            }
            let deep = match by {
                SortBy::CreatedAt => plan_of!(songs::created_at),
                SortBy::Title => plan_of!(songs::title_norm),
                SortBy::Artist => plan_of!(songs::artist_norm),
                SortBy::ReleaseYear => plan_of!(release_year()),
                SortBy::Duration => plan_of!(duration()),
            };
            assert!(deep.contains("Merge Append") && !deep.contains("->  Sort"), "{order:?}\n{deep}");
            let scans = deep.matches("Index Only Scan").count();
            assert_eq!((scans, deep.matches(index).count()), (2, 2), "{order:?}\n{deep}");
            for (list, own) in lists(Some(&cursor)).into_iter().zip([true, false]) {
                let page = Window { rows: 21, offset: 0 }.of(list.select(songs::id));
                let values = match by {
                    SortBy::CreatedAt => "now()",
                    SortBy::Title | SortBy::Artist => "'x'",
                    SortBy::ReleaseYear | SortBy::Duration => "1990",
                };
                let own = if own { format!("'{tenant}', ") } else { String::new() };
                let behind = plan(&client, &page, &format!("{own}{values}, '{nil}'")).await;
                let is_condition =
                    |line: &str| line.contains("Index Cond: ") && line.contains("ROW(") && line.contains(column);
                assert!(behind.contains(index) && behind.lines().any(is_condition), "{order:?}\n{behind}");
                assert!(!behind.contains("->  Sort"), "{order:?}\n{behind}");
            }
        }
    }
    client.batch_execute("ROLLBACK").await.unwrap();
}
