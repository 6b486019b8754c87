//! What one request may carry, and what happens beyond that: a clear error, and nobody else notices.

use devstack::World;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn sf_01_a_query_of_thousands_of_values_is_refused_and_the_service_lives() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    for name in ["genre", "title", "artist"] {
        let query = vec![format!("{name}=a"); 6_000].join("&");
        let refused = own.listener.client.get(&format!("/tenant/songs/?{query}")).await.unwrap();
        assert_eq!((refused.status, refused.at("/code")), (400, &json!("too_many_values")), "{name}");
        let query = vec![format!("{name}=a"); 21].join("&");
        let refused = own.listener.client.get(&format!("/tenant/songs/?{query}")).await.unwrap();
        assert_eq!((refused.status, refused.at("/code")), (400, &json!("too_many_values")), "{name}");
        let query = vec![format!("{name}=Alpha"); 20].join("&");
        own.listener.client.get(&format!("/tenant/songs/?{query}")).await.unwrap().expect(200).unwrap();
    }
    world.stop().await;
}

#[tokio::test]
async fn sf_04_and_cf_08_a_query_is_checked_and_every_fault_is_named() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let client = &own.listener.client;
    let (long, longer) = ("x".repeat(101), "x".repeat(201));
    for (query, field) in [
        (format!("q={long}"), "q"),
        (format!("title={longer}"), "title"),
        ("page=".to_owned(), "page"),
        ("page=%2B1".to_owned(), "page"),
        ("page=0".to_owned(), "page"),
        ("page=1&page=2".to_owned(), "page"),
        ("page_size=-1".to_owned(), "page_size"),
        ("page=1&cursor=".to_owned(), "cursor"),
        ("ordering=speed".to_owned(), "ordering"),
        ("is_active=1".to_owned(), "is_active"),
        ("q=%ff".to_owned(), "non_field_errors"),
        ("q=a%00b".to_owned(), "q"),
    ] {
        let refused = client.get(&format!("/tenant/songs/?{query}")).await.unwrap();
        assert_eq!(refused.status, 400, "{query}: {}", refused.text);
        assert!(!refused.at(&format!("/errors/{field}")).is_null(), "{query}: {}", refused.text);
    }
    let both = client.get("/tenant/songs/?speed=1&colour=red").await.unwrap();
    assert!(!both.at("/errors/speed").is_null() && !both.at("/errors/colour").is_null(), "{}", both.text);
    client.get("/song-requests/?status=pending&status=Approved").await.unwrap().expect(200).unwrap();
    world.stop().await;
}

#[tokio::test]
async fn sf_28_a_cursor_of_a_time_that_nobody_has_is_not_valid() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let key = json!({ "Time": ["-262143-01-01T00:00:00Z", own.link] });
    let cursor = kit::page::cursor(&key);
    for path in ["/tenant/songs/", "/song-requests/"] {
        let refused = own.listener.client.get(&format!("{path}?cursor={cursor}")).await.unwrap();
        assert_eq!(refused.status, 400, "{path}: {}", refused.text);
    }
    world.stop().await;
}

#[tokio::test]
async fn sf_09_what_is_no_id_is_refused_and_not_stored_under_an_idempotency_key() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let path = format!("/playlists/{}/songs/", own.playlist);
    let body = json!({ "tenant_song_ids": vec!["x".repeat(200); 300] });
    let request = own.listener.client.request(Method::POST, &path).header("idempotency-key", "big").json(&body);
    let refused = own.listener.client.send(request).await.unwrap();
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert!(refused.text.len() < 1_000, "the ids are not repeated");
    world.stop().await;
}

#[tokio::test]
async fn cf_10_the_same_payload_in_another_form_repeats_the_first_answer() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let client = &own.listener.client;
    let mut ids = Vec::new();
    for body in [r#"{"name":"Mine","description":"a"}"#, "{ \"description\": \"a\",\n \"name\": \"Mine\" }"] {
        let request = client.request(Method::POST, "/playlists/").header("idempotency-key", "k1");
        let request = request.header("content-type", "application/json").body(body);
        ids.push(client.send(request).await.unwrap().expect(201).unwrap().text_at("/data/id").unwrap());
    }
    assert_eq!(ids[0], ids[1]);
    let other = client.request(Method::POST, "/playlists/").header("idempotency-key", "k1");
    assert_eq!(client.send(other.json(&json!({ "name": "Other" }))).await.unwrap().status, 422);
    let lines = json!({ "name": "Lines", "description": "one\r\ntwo" });
    let made = client.post("/playlists/", lines).await.unwrap().expect(201).unwrap();
    assert_eq!(made.at("/data/description"), "one\ntwo");
    world.stop().await;
}

#[tokio::test]
async fn cf_09_a_weak_etag_is_known_and_links_name_the_first_and_the_last_page() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let client = &own.listener.client;
    let path = format!("/playlists/{}/", own.playlist);
    let etag = client.get(&path).await.unwrap().headers["etag"].to_str().unwrap().to_owned();
    let again = client.request(Method::GET, &path).header("if-none-match", format!("W/{etag}"));
    assert_eq!(client.send(again).await.unwrap().status, 304);
    let list = client.get("/playlists/?page_size=1").await.unwrap();
    let link = list.headers["link"].to_str().unwrap();
    assert!(link.contains(r#"rel="first""#) && link.contains(r#"rel="last""#), "{link}");
    world.stop().await;
}
