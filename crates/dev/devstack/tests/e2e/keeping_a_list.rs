//! An ADMIN keeps the tenant's list: many songs at once, and single ones; and people are told what they may be typing.

use devstack::{Client, Reply, World};
use serde_json::{Value, json};

async fn post(client: &Client, path: &str, body: Value) -> Reply {
    client.post(path, body).await.unwrap()
}

async fn count(client: &Client, path: &str) -> u64 {
    client.get(path).await.unwrap().expect(200).unwrap().at("/count").as_u64().unwrap()
}

#[tokio::test]
async fn many_songs_are_put_on_the_list_by_id_genre_and_artist_each_once() {
    let world = World::start().await;
    let (own, other) = (world.full_tenant("Alpha").await, world.full_tenant("Beta").await);
    let admin = &own.admin.client;
    let new = |title: &str, artist: &str, genre: &str| json!({ "title": title, "artist": artist, "genre": genre });
    let rock = world.root.create("/genres/", json!({ "name": "Glam" })).await;
    let heroes = world.root.create("/songs/", new("Heroes", "David Bowie", &rock)).await;
    world.root.create("/songs/", new("Starman", "David Bowie", &rock)).await;
    world.root.create("/songs/", new("Halo", "Beyoncé", &own.genre)).await;
    let nobody = kit::ids::random().to_string();
    let wanted = json!({
        "song_ids": [heroes, own.song, other.song, nobody], "genre_ids": [rock, nobody],
        "artists": ["BEYONCE", "Nobody at all"], "is_active": false,
    });
    for path in ["/songs/bulk-add/", "/tenant/songs/bulk-add/"] {
        let added = post(admin, path, wanted.clone()).await.expect(201).unwrap();
        let (new, old) = if path.starts_with("/songs") { (3, 1) } else { (0, 4) };
        assert_eq!((added.at("/data/total_added_songs"), added.at("/data/already_linked")), (&json!(new), &json!(old)));
        // A song of another tenant is as unknown as one that nobody has.
        assert_eq!(added.at("/data/not_found"), &json!([other.song, nobody, nobody, "Nobody at all"]));
    }
    assert_eq!(count(admin, "/tenant/songs/").await, 4);
    assert_eq!(count(&own.listener.client, "/tenant/songs/").await, 1, "they are not approved");
    for (body, field) in [
        (json!({}), "non_field_errors"),
        (json!({ "song_ids": [], "artists": [] }), "non_field_errors"),
        (json!({ "song_ids": ["x"] }), "song_ids[0]"),
        (json!({ "artists": [" "] }), "artists[0]"),
        (json!({ "artists": vec!["x"; 1_001] }), "artists"),
    ] {
        let refused = post(admin, "/songs/bulk-add/", body.clone()).await;
        assert_eq!(
            (refused.status, refused.at("/errors").get(field).is_some()),
            (400, true),
            "{body} {}",
            refused.text
        );
    }
    world.stop().await;
}

#[tokio::test]
async fn many_songs_are_approved_withdrawn_and_taken_off_and_the_counts_follow() {
    let world = World::start().await;
    let (own, other) = (world.full_tenant("Alpha").await, world.full_tenant("Beta").await);
    let (admin, listener) = (&own.admin.client, &own.listener.client);
    for n in 0..3 {
        own.admin.create("/songs/", json!({ "title": format!("More {n}"), "artist": "A", "genre": own.genre })).await;
    }
    let page = admin.get("/tenant/songs/").await.unwrap();
    let ids: Vec<String> = (0..4).map(|n| page.text_at(&format!("/data/{n}/id")).unwrap()).collect();
    let nobody = kit::ids::random().to_string();
    let body = json!({ "tenant_song_ids": [ids[0], ids[1], ids[0], other.link, nobody], "is_active": false });
    let done = post(admin, "/tenant/songs/bulk-approve/", body.clone()).await.expect(200).unwrap();
    assert_eq!((done.at("/data/updated_count"), done.at("/data/unchanged_count")), (&json!(2), &json!(0)));
    assert_eq!(done.at("/data/not_found"), &json!([other.link, nobody]));
    let again = post(admin, "/tenant/songs/bulk-approve/", body).await.expect(200).unwrap();
    assert_eq!((again.at("/data/updated_count"), again.at("/data/unchanged_count")), (&json!(0), &json!(2)));
    assert_eq!((count(admin, "/tenant/songs/").await, count(listener, "/tenant/songs/").await), (4, 2));
    let body = json!({ "tenant_song_ids": [ids[0], ids[2], other.link, nobody] });
    let done = post(admin, "/tenant/songs/bulk-delete/", body.clone()).await.expect(200).unwrap();
    assert_eq!((done.at("/data/deleted_count"), done.at("/data/not_found")), (&json!(2), &json!([other.link, nobody])));
    let again = post(admin, "/tenant/songs/bulk-delete/", body).await.expect(200).unwrap();
    assert_eq!(again.at("/data/deleted_count"), &json!(0));
    assert_eq!((count(admin, "/tenant/songs/").await, count(listener, "/tenant/songs/").await), (2, 1));
    assert_eq!(count(&other.admin.client, "/tenant/songs/").await, 1, "the other tenant's list is as it was");
    let path = format!("/tenant/songs/{}/", ids[1]);
    admin.delete(&path).await.unwrap().expect(204).unwrap();
    assert_eq!(admin.delete(&path).await.unwrap().status, 404);
    assert_eq!((count(admin, "/tenant/songs/").await, count(listener, "/tenant/songs/").await), (1, 1));
    for path in ["/tenant/songs/bulk-delete/", "/tenant/songs/bulk-approve/"] {
        for ids in [json!([]), json!(["x"]), json!(vec![nobody.clone(); 1_001])] {
            let refused = post(admin, path, json!({ "tenant_song_ids": ids, "is_active": true })).await;
            assert_eq!((refused.status, refused.at("/code")), (400, &json!("validation_error")));
        }
    }
    world.stop().await;
}

#[tokio::test]
async fn a_link_that_was_taken_off_is_revived_with_its_id_and_playlists_show_it_again() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let (admin, listener) = (&own.admin.client, &own.listener.client);
    let entries = format!("/playlists/{}/songs/", own.playlist);
    post(listener, &entries, json!({ "tenant_song_id": own.link })).await.expect(201).unwrap();
    admin.delete(&format!("/tenant/songs/{}/", own.link)).await.unwrap().expect(204).unwrap();
    assert_eq!(listener.get(&entries).await.unwrap().at("/data/0/available"), &json!(false));
    let again = own.admin.create("/tenant/songs/", json!({ "song_id": own.song })).await;
    assert_eq!(again, own.link);
    assert_eq!(listener.get(&entries).await.unwrap().at("/data/0/available"), &json!(true));
    let twice = post(admin, "/tenant/songs/", json!({ "song_id": own.song })).await;
    assert_eq!((twice.status, twice.at("/code")), (409, &json!("already_linked")));
    world.stop().await;
}

#[tokio::test]
async fn suggestions_are_titles_and_artists_of_the_own_list_that_the_caller_may_see() {
    let world = World::start().await;
    let (own, _other) = (world.full_tenant("Alpha").await, world.full_tenant("Beta").await);
    let (admin, listener) = (&own.admin.client, &own.listener.client);
    for (title, artist) in
        [("Beautiful Day", "U2"), ("Let It Be", "The Beatles"), ("Hey Jude", "The Beatles"), ("Halo", "Beyoncé")]
    {
        own.admin.create("/songs/", json!({ "title": title, "artist": artist, "genre": own.genre })).await;
    }
    let suggest = async |client: &Client, q: &str| {
        let found = client.get(&format!("/tenant/songs/suggest/?q={q}")).await.unwrap().expect(200).unwrap();
        let rows = found.at("/data/suggestions").as_array().unwrap().clone();
        rows.iter()
            .map(|row| format!("{} {}", row["kind"].as_str().unwrap(), row["text"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    let be = ["artist The Beatles", "artist Beyoncé", "title Beautiful Day"];
    assert_eq!(suggest(listener, "be").await, be);
    assert_eq!(suggest(listener, "The%20Be").await, be, "as everywhere, a leading The does not count");
    assert_eq!(suggest(listener, "let%20it").await, ["title Let It Be"]);
    assert_eq!(suggest(listener, "beta").await, Vec::<String>::new(), "that is the other tenant's");
    assert_eq!(suggest(listener, "%E0%A4%95%E0%A4%B2").await, Vec::<String>::new());
    // What is withdrawn is suggested to ADMINs only, and what is deleted to nobody.
    let song = admin.get("/tenant/songs/?title=beautiful").await.unwrap();
    let link = format!("/tenant/songs/{}/", song.text_at("/data/0/id").unwrap());
    admin.patch(&link, json!({ "is_active": false })).await.unwrap().expect(200).unwrap();
    assert_eq!(suggest(listener, "beau").await, Vec::<String>::new());
    assert_eq!(suggest(admin, "beau").await, ["title Beautiful Day"]);
    admin.delete(&format!("/songs/{}/", song.text_at("/data/0/song_id").unwrap())).await.unwrap().expect(204).unwrap();
    assert_eq!(suggest(admin, "beau").await, Vec::<String>::new());
    assert_eq!(listener.get("/tenant/songs/suggest/").await.unwrap().status, 400);
    world.stop().await;
}
