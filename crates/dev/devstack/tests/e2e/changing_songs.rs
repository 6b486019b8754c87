//! Songs and genres are changed and deleted, and the lists with them follow.

use devstack::world::FullTenant;
use devstack::{Client, Reply, World};
use reqwest::Method;
use serde_json::{Value, json};

async fn get(client: &Client, path: &str) -> Reply {
    client.get(path).await.unwrap().expect(200).unwrap()
}

async fn patch(client: &Client, path: &str, body: Value) -> Reply {
    client.patch(path, body).await.unwrap()
}

/// A GLOBAL song, on the list of each tenant; returns the song and its links.
async fn global_song_on(world: &World, genre: &str, tenants: &[&FullTenant]) -> (String, Vec<String>) {
    let new = json!({ "title": "Heroes", "artist": "David Bowie", "genre": genre, "duration": 100 });
    let song = world.root.create("/songs/", new).await;
    let mut links = Vec::new();
    for tenant in tenants {
        links.push(tenant.admin.create("/tenant/songs/", json!({ "song_id": song })).await);
    }
    (song, links)
}

#[tokio::test]
async fn a_song_is_changed_with_its_list_and_playlists_and_nobody_overwrites_what_they_have_not_seen() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let (admin, listener) = (&own.admin.client, &own.listener.client);
    let entries = format!("/playlists/{}/songs/", own.playlist);
    listener.post(&entries, json!({ "tenant_song_id": own.link })).await.unwrap().expect(201).unwrap();
    let path = format!("/songs/{}/", own.song);
    let seen = get(admin, &path).await;
    let change = json!({ "title": "Kūlning", "duration": 200, "release_year": 1999, "album": "Ett" });
    let changed = patch(admin, &path, change).await.expect(200).unwrap();
    assert_eq!(changed.at("/data/title"), &json!("Kūlning"));
    assert_eq!(changed.at("/data/duration"), &json!(200));
    let link = get(listener, &format!("/tenant/songs/{}/", own.link)).await;
    assert_eq!((link.at("/data/title"), link.at("/data/album")), (&json!("Kūlning"), &json!("Ett")));
    assert_eq!(get(listener, "/tenant/songs/?title=kulning").await.at("/count"), &json!(1));
    let playlist = get(listener, &format!("/playlists/{}/", own.playlist)).await;
    assert_eq!(playlist.at("/data/total_duration"), &json!(200));
    // Whoever saw the version before is refused; what was shown may be sent back.
    let etag = seen.headers.get("etag").unwrap().clone();
    let late = admin.request(Method::PATCH, &path).header("if-match", etag).json(&json!({ "title": "X" }));
    assert_eq!(admin.send(late).await.unwrap().status, 412);
    let echoed = patch(admin, &path, changed.at("/data").clone()).await.expect(200).unwrap();
    assert_eq!(echoed.at("/data"), changed.at("/data"), "nothing was changed");
    let elsewhere = world.root.create("/genres/", json!({ "name": "Elsewhere" })).await;
    let mut whole = changed.at("/data").clone();
    whole["genre"] = json!(elsewhere);
    let moved = patch(admin, &path, whole).await.expect(200).unwrap();
    assert_eq!(moved.at("/data/genre_name"), &json!("Elsewhere"), "a field that is shown may be sent back as it was");
    let cleared = patch(admin, &path, json!({ "duration": null, "release_year": null, "album": null })).await;
    assert_eq!((cleared.at("/data/duration"), cleared.at("/data/album")), (&json!(null), &json!("")));
    let playlist = get(listener, &format!("/playlists/{}/", own.playlist)).await;
    assert_eq!(playlist.at("/data/total_duration"), &json!(0));
    for (body, status, code) in [
        (json!({ "title": null }), 400, "validation_error"),
        (json!({ "title": "" }), 400, "validation_error"),
        (json!({ "genre": kit::ids::random().to_string() }), 400, "validation_error"),
        (json!({ "duration": 0 }), 400, "validation_error"),
        (json!({ "visibility": "GLOBAL" }), 400, "read_only_field"),
        (json!({ "tenant": null }), 400, "read_only_field"),
        (json!({ "user": own.listener.id }), 400, "read_only_field"),
    ] {
        let refused = patch(admin, &path, body.clone()).await;
        assert_eq!((refused.status, refused.at("/code")), (status, &json!(code)), "{body}");
    }
    let other = json!({ "title": "Other", "artist": "Alpha", "genre": own.genre });
    let other = own.admin.create("/songs/", other).await;
    let same = patch(admin, &format!("/songs/{other}/"), json!({ "title": "kulning" })).await;
    assert_eq!((same.status, same.at("/code")), (409, &json!("song_exists")));
    assert_eq!(same.at("/details/id"), &json!(own.song));
    world.stop().await;
}

#[tokio::test]
async fn a_global_song_is_changed_by_the_platform_and_every_list_follows() {
    let world = World::start().await;
    let (alpha, beta) = (world.full_tenant("Alpha").await, world.full_tenant("Beta").await);
    let (song, links) = global_song_on(&world, &alpha.genre, &[&alpha, &beta]).await;
    let entries = format!("/playlists/{}/songs/", beta.playlist);
    let add = json!({ "tenant_song_id": links[1] });
    beta.listener.client.post(&entries, add).await.unwrap().expect(201).unwrap();
    let path = format!("/songs/{song}/");
    let refused = patch(&alpha.admin.client, &path, json!({ "title": "Mine" })).await;
    assert_eq!((refused.status, refused.at("/code")), (403, &json!("permission_denied")));
    assert_eq!(alpha.admin.client.delete(&path).await.unwrap().status, 403);
    let change = json!({ "title": "Helden", "duration": 371 });
    patch(&world.root.client, &path, change).await.expect(200).unwrap();
    for (tenant, link) in [(&alpha, &links[0]), (&beta, &links[1])] {
        testkit::eventually("the list follows", || async {
            let link = get(&tenant.listener.client, &format!("/tenant/songs/{link}/")).await;
            (link.at("/data/title") == "Helden" && link.at("/data/duration") == 371).then_some(())
        })
        .await;
    }
    let playlist = get(&beta.listener.client, &format!("/playlists/{}/", beta.playlist)).await;
    assert_eq!(playlist.at("/data/total_duration"), &json!(371));
    world.stop().await;
}

#[tokio::test]
async fn a_deleted_song_leaves_lists_and_counts_at_once_and_entries_show_that_it_is_gone() {
    let world = World::start().await;
    let (alpha, beta) = (world.full_tenant("Alpha").await, world.full_tenant("Beta").await);
    let (song, links) = global_song_on(&world, &alpha.genre, &[&alpha, &beta]).await;
    let entries = format!("/playlists/{}/songs/", alpha.playlist);
    for link in [&links[0], &alpha.link] {
        alpha.listener.client.post(&entries, json!({ "tenant_song_id": link })).await.unwrap().expect(201).unwrap();
    }
    let count = async |tenant: &FullTenant| {
        let all = get(&tenant.admin.client, "/tenant/songs/").await;
        let approved = get(&tenant.listener.client, "/tenant/songs/").await;
        assert_eq!(all.at("/count"), approved.at("/count"));
        assert_eq!(
            all.at("/data").as_array().unwrap().len(),
            usize::try_from(all.at("/count").as_u64().unwrap()).unwrap()
        );
        all.at("/count").clone()
    };
    assert_eq!((count(&alpha).await, count(&beta).await), (json!(2), json!(2)));
    let path = format!("/songs/{song}/");
    world.root.client.delete(&path).await.unwrap().expect(204).unwrap();
    assert_eq!(world.root.client.delete(&path).await.unwrap().status, 404);
    assert_eq!((count(&alpha).await, count(&beta).await), (json!(1), json!(1)));
    alpha.admin.client.delete(&format!("/songs/{}/", alpha.song)).await.unwrap().expect(204).unwrap();
    assert_eq!((count(&alpha).await, count(&beta).await), (json!(0), json!(1)));
    let left = get(&alpha.listener.client, &entries).await;
    assert_eq!(
        (left.at("/count"), left.at("/data/0/available"), left.at("/data/1/available")),
        (&json!(2), &json!(false), &json!(false))
    );
    for link in [&links[0], &alpha.link] {
        let path = format!("/tenant/songs/{link}/");
        assert_eq!(alpha.admin.client.get(&path).await.unwrap().status, 404);
        assert_eq!(alpha.admin.client.delete(&path).await.unwrap().status, 404);
        assert_eq!(patch(&alpha.admin.client, &path, json!({ "is_active": false })).await.status, 404);
    }
    // The stored counts follow later; what is read does not change by it.
    let db = &world.stack.db;
    let songlist = kit_pg::bootstrap::open(db.songlist.admin_url()).await.unwrap();
    let earlier = format!("UPDATE {}.songs SET deleted_at = deleted_at - interval '1 hour'", db.songlist.schema);
    songlist.execute(&earlier, &[]).await.unwrap();
    let scheduler = kit_pg::bootstrap::open(db.scheduler.admin_url()).await.unwrap();
    let due = format!("UPDATE {}.jobs SET next_run_at = now()", db.scheduler.schema);
    scheduler.execute(&due, &[]).await.unwrap();
    testkit::eventually("the songs are counted out", || async {
        let waiting = "songs WHERE deleted_at IS NOT NULL AND NOT counted_out";
        (testkit::schema::count(&db.songlist, waiting).await.unwrap() == 0).then_some(())
    })
    .await;
    let stored = "tenant_song_counts WHERE total <> approved OR total > 1";
    assert_eq!(testkit::schema::count(&db.songlist, stored).await.unwrap(), 0);
    assert_eq!((count(&alpha).await, count(&beta).await), (json!(0), json!(1)));
    // The same song may be made again.
    global_song_on(&world, &alpha.genre, &[&alpha, &beta]).await;
    assert_eq!((count(&alpha).await, count(&beta).await), (json!(1), json!(2)));
    world.stop().await;
}

#[tokio::test]
async fn a_genre_is_renamed_and_is_deleted_only_when_no_tenant_has_a_song_of_it() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let root = &world.root.client;
    let path = format!("/genres/{}/", own.genre);
    let renamed = patch(root, &path, json!({ "name": "Qawwali", "description": "Sufi" })).await.expect(200).unwrap();
    assert_eq!((renamed.at("/data/name"), renamed.at("/data/description")), (&json!("Qawwali"), &json!("Sufi")));
    testkit::eventually("lists show the new name", || async {
        let link = get(&own.listener.client, &format!("/tenant/songs/{}/", own.link)).await;
        (link.at("/data/genre") == "Qawwali").then_some(())
    })
    .await;
    let other = world.root.create("/genres/", json!({ "name": "Ghazal" })).await;
    let taken = patch(root, &format!("/genres/{other}/"), json!({ "name": "QAWWALI" })).await;
    assert_eq!((taken.status, taken.at("/code")), (409, &json!("genre_exists")));
    let set = patch(root, &path, json!({ "song_count": 7 })).await;
    assert_eq!(set.at("/code"), &json!("read_only_field"));
    // The platform does not see the tenant's song, but it counts.
    assert_eq!(get(root, &path).await.at("/data/song_count"), &json!(0));
    let used = root.delete(&path).await.unwrap();
    assert_eq!((used.status, used.at("/code"), used.at("/details/songs")), (409, &json!("genre_in_use"), &json!("1")));
    own.admin.client.delete(&format!("/songs/{}/", own.song)).await.unwrap().expect(204).unwrap();
    root.delete(&path).await.unwrap().expect(204).unwrap();
    assert_eq!(root.get(&path).await.unwrap().status, 404);
    assert_eq!(root.delete(&path).await.unwrap().status, 404);
    let new = json!({ "title": "T", "artist": "A", "genre": own.genre });
    let refused = own.admin.client.post("/songs/", new).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (400, &json!("validation_error")));
    world.root.create("/genres/", json!({ "name": "qawwali" })).await;
    world.stop().await;
}
