//! The owner of a playlist names it, orders its songs and deletes it; so does an ADMIN.

use devstack::world::FullTenant;
use devstack::{Client, Reply, World};
use reqwest::Method;
use serde_json::{Value, json};

/// Songs on the list of a tenant, by link; each lasts ten seconds.
async fn songs(own: &FullTenant, number: usize) -> Vec<String> {
    for n in 0..number {
        let new = json!({ "title": format!("Song {n:03}"), "artist": "A", "genre": own.genre, "duration": 10 });
        own.admin.create("/songs/", new).await;
    }
    let page = own.admin.client.get("/tenant/songs/?title=song%200&ordering=title&page_size=100").await.unwrap();
    page.at("/data").as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// The links of a playlist in order, whose positions have no gaps.
async fn order(client: &Client, playlist: &str) -> Vec<String> {
    let page = client.get(&format!("/playlists/{playlist}/songs/?page_size=100")).await.unwrap().expect(200).unwrap();
    let rows = page.at("/data").as_array().unwrap();
    for (row, position) in rows.iter().zip(1..) {
        assert_eq!(row["position"], json!(position), "{}", page.text);
    }
    assert_eq!(page.at("/count"), &json!(rows.len()));
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

async fn moved(client: &Client, playlist: &str, body: Value, etag: Option<&str>) -> Reply {
    let request = client.request(Method::PATCH, &format!("/playlists/{playlist}/songs/order/")).json(&body);
    let request = match etag {
        Some(etag) => request.header("if-match", etag),
        None => request,
    };
    client.send(request).await.unwrap()
}

fn etag(reply: &Reply) -> String {
    reply.headers.get("etag").unwrap().to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_playlist_is_named_and_deleted_by_its_owner_and_by_an_admin() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let (admin, listener) = (&own.admin.client, &own.listener.client);
    let path = format!("/playlists/{}/", own.playlist);
    let seen = listener.get(&path).await.unwrap();
    let named = listener.patch(&path, json!({ "name": "Saturday", "description": "Loud" })).await.unwrap();
    assert_eq!((named.status, named.at("/data/name"), named.at("/data/version")), (200, &json!("Saturday"), &json!(2)));
    let late = listener.request(Method::PATCH, &path).header("if-match", etag(&seen)).json(&json!({ "name": "X" }));
    assert_eq!(listener.send(late).await.unwrap().status, 412);
    let echoed = listener.patch(&path, named.at("/data").clone()).await.unwrap().expect(200).unwrap();
    assert_eq!(echoed.at("/data"), named.at("/data"));
    own.listener.create("/playlists/", json!({ "name": "Sunday" })).await;
    for (body, status, code) in [
        (json!({ "name": "sUNDAY" }), 409, "playlist_exists"),
        (json!({ "name": " " }), 400, "validation_error"),
        (json!({ "user": own.admin.id }), 400, "read_only_field"),
        (json!({ "song_count": 9 }), 400, "read_only_field"),
    ] {
        let refused = listener.patch(&path, body.clone()).await.unwrap();
        assert_eq!((refused.status, refused.at("/code")), (status, &json!(code)), "{body}");
    }
    admin.patch(&path, json!({ "description": "" })).await.unwrap().expect(200).unwrap();
    let late = listener.request(Method::DELETE, &path).header("if-match", etag(&seen));
    assert_eq!(listener.send(late).await.unwrap().status, 412);
    admin.delete(&path).await.unwrap().expect(204).unwrap();
    assert_eq!(listener.get(&path).await.unwrap().status, 404);
    assert_eq!(listener.delete(&path).await.unwrap().status, 404);
    own.listener.create("/playlists/", json!({ "name": "Saturday" })).await;
    let audit = admin.get("/audit/?action=playlist_delete").await.unwrap();
    assert_eq!(audit.status, 200);
    world.stop().await;
}

#[tokio::test]
async fn songs_move_in_ranges_and_only_by_those_who_have_seen_the_order() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let listener = &own.listener.client;
    let links = songs(&own, 6).await;
    let entries = format!("/playlists/{}/songs/", own.playlist);
    listener.post(&entries, json!({ "tenant_song_ids": links })).await.unwrap().expect(201).unwrap();
    let path = format!("/playlists/{}/", own.playlist);
    let mut model = links.clone();
    for (start, length, before) in
        [(1, 2, 5), (5, 2, 1), (2, 3, 7), (6, 1, 1), (1, 6, 7), (3, 2, 4), (3, 2, 3), (4, 1, 2), (1, 1, 7)]
    {
        let seen = etag(&listener.get(&path).await.unwrap());
        let body = json!({ "range_start": start, "range_length": length, "insert_before": before });
        let done = moved(listener, &own.playlist, body.clone(), Some(&seen)).await.expect(200).unwrap();
        let range: Vec<String> = model.drain(start - 1..start - 1 + length).collect();
        let place = if before <= start { before - 1 } else { (before - 1).saturating_sub(length).max(start - 1) };
        model.splice(place..place, range);
        assert_eq!(order(listener, &own.playlist).await, model, "{body}");
        assert_eq!(done.at("/data/song_count"), &json!(6));
        let again = moved(
            listener,
            &own.playlist,
            json!({ "range_start": 1, "range_length": 1, "insert_before": 3 }),
            Some("\"0-x\""),
        )
        .await;
        assert_eq!((again.status, again.at("/code")), (412, &json!("precondition_failed")));
    }
    let without =
        moved(listener, &own.playlist, json!({ "range_start": 1, "range_length": 1, "insert_before": 3 }), None).await;
    assert_eq!((without.status, without.at("/code")), (428, &json!("precondition_required")));
    let seen = etag(&listener.get(&path).await.unwrap());
    for (start, length, before, field) in [
        (0, 1, 1, "range_start"),
        (7, 1, 1, "range_start"),
        (6, 2, 1, "range_length"),
        (1, 0, 1, "range_length"),
        (1, i64::MAX, 1, "range_length"),
        (1, 1, 8, "insert_before"),
        (1, 1, 0, "insert_before"),
    ] {
        let body = json!({ "range_start": start, "range_length": length, "insert_before": before });
        let refused = moved(listener, &own.playlist, body.clone(), Some(&seen)).await;
        assert_eq!((refused.status, refused.at("/errors").get(field).is_some()), (400, true), "{body}");
    }
    assert_eq!(order(listener, &own.playlist).await, model);
    world.stop().await;
}

#[tokio::test]
async fn songs_are_taken_off_by_list_by_query_and_one_by_one() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let listener = &own.listener.client;
    let links = songs(&own, 8).await;
    let entries = format!("/playlists/{}/songs/", own.playlist);
    listener.post(&entries, json!({ "tenant_song_ids": links })).await.unwrap().expect(201).unwrap();
    let nobody = kit::ids::random().to_string();
    let body = json!({ "tenant_song_ids": [links[1], links[6], nobody] });
    let done = listener.post(&format!("{entries}bulk-delete/"), body).await.unwrap().expect(200).unwrap();
    assert_eq!((done.at("/data/deleted_count"), done.at("/data/not_found")), (&json!(2), &json!([nobody])));
    assert_eq!(
        (done.at("/data/playlist/song_count"), done.at("/data/playlist/total_duration")),
        (&json!(6), &json!(60))
    );
    let by_query = format!("{entries}?ids={},{}", links[0], links[7]);
    listener.delete(&by_query).await.unwrap().expect(200).unwrap();
    let request = listener.request(Method::DELETE, &entries).json(&json!({ "tenant_song_ids": [links[3]] }));
    listener.send(request).await.unwrap().expect(200).unwrap();
    listener.delete(&format!("{entries}{}/", links[4])).await.unwrap().expect(204).unwrap();
    assert_eq!(order(listener, &own.playlist).await, [links[2].clone(), links[5].clone()]);
    for refused in [listener.delete(&entries).await, listener.delete(&format!("{entries}?ids=x")).await] {
        assert_eq!(refused.unwrap().status, 400);
    }
    world.stop().await;
}

#[tokio::test]
async fn fifty_writers_of_one_playlist_lose_no_song_and_leave_no_gap() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let (admin, listener) = (&own.admin.client, &own.listener.client);
    let links = songs(&own, 60).await;
    let (stay, go, come) = (&links[..20], &links[20..40], &links[40..60]);
    let entries = format!("/playlists/{}/songs/", own.playlist);
    let both = [stay, go].concat();
    listener.post(&entries, json!({ "tenant_song_ids": both })).await.unwrap().expect(201).unwrap();
    let writers = (0..50_usize).map(|n| {
        let (entries, playlist) = (entries.clone(), own.playlist.clone());
        let client = if n % 2 == 0 { listener.clone() } else { admin.clone() };
        async move {
            match n {
                0..20 => {
                    let add = json!({ "tenant_song_id": come[n], "position": n + 1 });
                    client.post(&entries, add).await.unwrap().expect(201).unwrap();
                }
                20..40 => {
                    let path = format!("{entries}{}/", go[n - 20]);
                    client.delete(&path).await.unwrap().expect(204).unwrap();
                }
                _ => loop {
                    let seen = client.get(&format!("/playlists/{playlist}/")).await.unwrap().expect(200).unwrap();
                    let body = json!({ "range_start": 1 + n % 7, "range_length": 3, "insert_before": 15 });
                    let done = moved(&client, &playlist, body, Some(&etag(&seen))).await;
                    assert!([200, 412].contains(&done.status), "{}", done.text);
                    if done.status == 200 {
                        break;
                    }
                },
            }
        }
    });
    futures_util::future::join_all(writers).await;
    let mut left = order(listener, &own.playlist).await;
    let mut wanted = [stay, come].concat();
    left.sort();
    wanted.sort();
    assert_eq!(left, wanted);
    let playlist = listener.get(&format!("/playlists/{}/", own.playlist)).await.unwrap();
    assert_eq!((playlist.at("/data/song_count"), playlist.at("/data/total_duration")), (&json!(40), &json!(400)));
    world.stop().await;
}
