//! Lists are walked by cursor, in every order.

use devstack::{Client, World};
use reqwest::Method;
use serde_json::{Value, json};

/// Songs with years and durations that repeat or are missing, and titles that are the same in the compared form.
fn songs(artist: &str) -> String {
    let row = |n: u32| {
        let year = if n.is_multiple_of(3) { String::new() } else { (1_980 + n % 4).to_string() };
        let duration = if n.is_multiple_of(4) { String::new() } else { (100 + n % 5).to_string() };
        format!("Song {},{artist} {},{n},{year},{duration}\n", n % 7, n % 5)
    };
    let rows: String = (0..20).map(row).collect();
    format!("title,artist,album,release_year,duration\n{rows}")
}

async fn ids(client: &Client, path: &str) -> (Vec<Value>, Option<String>) {
    let page = client.get(path).await.unwrap().expect(200).unwrap();
    let rows = page.at("/data").as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    (rows, page.at("/next_cursor").as_str().map(str::to_owned))
}

async fn import(client: &Client, genre: &str, rows: String) {
    let path = format!("/songs/import/?genre={genre}");
    let request = client.request(Method::POST, &path).header("content-type", "text/csv").body(rows);
    client.send(request).await.unwrap().expect(200).unwrap();
}

#[tokio::test]
async fn a_walk_by_cursor_shows_the_rows_of_the_list_in_its_order() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    import(&own.admin.client, &own.genre, songs("Own")).await;
    import(&world.root.client, &own.genre, songs("Everybody's")).await;
    let client = &own.admin.client;
    let mut walked = 0;
    for (list, filter, orders) in [
        ("/tenant/songs/", "", &["created_at", "title", "artist", "release_year"][..]),
        ("/tenant/songs/", "&artist=own", &["created_at", "title", "artist", "release_year"]),
        ("/songs/", "", &["created_at", "title", "artist", "release_year", "duration"]),
    ] {
        for order in orders.iter().flat_map(|order| [(*order).to_owned(), format!("-{order}")]) {
            let query = format!("{list}?ordering={order}{filter}");
            let (whole, _) = ids(client, &format!("{query}&page_size=100")).await;
            let (mut seen, mut cursor) = (Vec::new(), Some(String::new()));
            while let Some(at) = cursor {
                let (rows, next) = ids(client, &format!("{query}&page_size=3&cursor={at}")).await;
                seen.extend(rows);
                cursor = next;
            }
            assert!(whole.len() >= 20, "{query}: {}", whole.len());
            assert_eq!(seen, whole, "{query}");
            walked += 1;
        }
    }
    assert_eq!(walked, 26);
    world.stop().await;
}

#[tokio::test]
async fn a_cursor_of_another_order_or_with_a_text_that_cannot_be_is_not_valid() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    for (order, key) in [
        ("title", json!({ "Time": ["2026-01-01T00:00:00Z", own.link] })),
        ("title", json!({ "Number": [1_980, own.link] })),
        ("title", json!({ "Text": ["a\0b", own.link] })),
        ("created_at", json!({ "Text": ["a", own.link] })),
        ("release_year", json!({ "Text": ["a", own.link] })),
        ("release_year", json!({ "Number": [99_999, own.link] })),
        ("created_at", json!({ "Offset": 3 })),
        ("title", json!({ "Offset": -3 })),
    ] {
        let cursor = kit::page::cursor(&key);
        for path in ["/tenant/songs/", "/songs/"] {
            let refused = own.admin.client.get(&format!("{path}?ordering={order}&cursor={cursor}")).await.unwrap();
            assert_eq!((refused.status, refused.at("/code")), (400, &json!("validation_error")), "{order} {key}");
        }
    }
    world.stop().await;
}
