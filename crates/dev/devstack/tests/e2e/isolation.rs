//! Tenants are strictly isolated: lists, counts and ids in bodies. Every route with every actor and object is walked in
//! `walls.rs`.

use devstack::World;
use devstack::world::PASSWORD;
use serde_json::json;

use crate::walls::bare;

#[tokio::test]
async fn tn_08_lists_and_counts_hold_no_foreign_row() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let other = world.full_tenant("Beta").await;
    let hostile = ["", "?q=Beta", "?title=Song+Beta", "?artist=%25", "?q='+OR+1=1+--"];
    for (person, lists) in [
        (&own.listener, vec!["/tenant/songs/", "/playlists/", "/song-requests/"]),
        (&own.admin, vec!["/tenant/songs/", "/songs/", "/playlists/", "/song-requests/", "/payments/"]),
    ] {
        for list in lists {
            let queries: &[&str] = if list.ends_with("songs/") { &hostile } else { &hostile[..1] };
            for query in queries {
                let reply = person.client.get(&format!("{list}{query}")).await.unwrap().expect(200).unwrap();
                assert!(
                    !reply.text.contains("Beta") && !reply.text.contains(&other.tenant.id),
                    "{list}{query}: {}",
                    reply.text
                );
            }
        }
    }
    let theirs = format!("/playlists/?user_id={}", other.listener.id);
    let none = own.admin.client.get(&theirs).await.unwrap().expect(200).unwrap();
    assert_eq!(none.at("/count"), &json!(0));
    world.stop().await;
}

#[tokio::test]
async fn tn_09_foreign_ids_in_bodies_are_unknown_objects() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let other = world.full_tenant("Beta").await;
    let entries = format!("/playlists/{}/songs/", own.playlist);
    let fulfil = format!("/song-requests/{}/fulfill/", own.request);
    let unknown = kit::ids::random().to_string();
    for (person, path, field, theirs) in [
        (&own.admin, "/tenant/songs/", "song_id", &other.song),
        (&own.listener, entries.as_str(), "tenant_song_id", &other.link),
        (&own.admin, fulfil.as_str(), "song_id", &other.song),
    ] {
        let foreign = person.client.post(path, json!({ field: theirs })).await.unwrap();
        let absent = person.client.post(path, json!({ field: unknown })).await.unwrap();
        assert_eq!(foreign.status, 404, "{path}: {}", foreign.text);
        assert_eq!(bare(&foreign), bare(&absent), "{path}");
    }
    let name = json!({ "name": "Mine", "user_id": other.listener.id });
    assert_eq!(own.admin.client.post("/playlists/", name).await.unwrap().status, 404);
    // Mass assignment: the tenant always comes from the token.
    let song =
        json!({ "title": "T", "artist": "A", "genre": own.genre, "tenant": other.tenant.id, "visibility": "GLOBAL" });
    let made = own.admin.client.post("/songs/", song).await.unwrap().expect(201).unwrap();
    assert_eq!((made.at("/data/tenant"), made.at("/data/visibility")), (&json!(own.tenant.id), &json!("TENANT")));
    // A user cannot sign in under the path of another tenant.
    let root_path = format!("/tenant/{}/auth/login/", other.tenant.slug);
    let login = json!({ "email": own.listener.email, "password": PASSWORD });
    assert_eq!(world.client().post(&root_path, login).await.unwrap().status, 401);
    world.stop().await;
}
