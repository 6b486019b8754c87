//! A request is changed while it is pending and deleted at any time; and of many the same one is made.

use devstack::World;
use serde_json::json;

#[tokio::test]
async fn a_request_is_changed_while_it_is_pending() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let (admin, listener) = (&own.admin.client, &own.listener.client);
    let path = format!("/song-requests/{}/", own.request);
    let change = json!({ "song_title": "Heroes", "artist_name": "David Bowie", "album_name": null });
    let changed = listener.patch(&path, change).await.unwrap().expect(200).unwrap();
    assert_eq!((changed.at("/data/song_title"), changed.at("/data/status")), (&json!("Heroes"), &json!("PENDING")));
    let notes = json!({ "additional_notes": "Live" });
    let by_admin = admin.patch(&path, notes).await.unwrap().expect(200).unwrap();
    assert_eq!(by_admin.at("/data/additional_notes"), &json!("Live"));
    let echoed = json!({ "status": "PENDING", "requester_id": own.listener.id, "song_title": "Heroes" });
    listener.patch(&path, echoed).await.unwrap().expect(200).unwrap();
    let neighbour = world.listener(&own.tenant, "neighbour").await;
    let taken = json!({ "song_title": "Starman", "artist_name": "David Bowie" });
    let other = neighbour.create("/song-requests/", taken.clone()).await;
    for (body, status, code) in [
        (json!({ "song_title": "" }), 400, "validation_error"),
        (json!({ "song_title": null }), 400, "validation_error"),
        (json!({ "status": "APPROVED" }), 400, "read_only_field"),
        (json!({ "requester_id": own.admin.id }), 400, "read_only_field"),
        (taken.clone(), 409, "request_exists"),
    ] {
        let refused = listener.patch(&path, body.clone()).await.unwrap();
        assert_eq!((refused.status, refused.at("/code")), (status, &json!(code)), "{body}");
        assert!(!refused.text.contains(&other), "the neighbour's request is not named");
    }
    let named = admin.patch(&path, taken).await.unwrap();
    assert_eq!(named.at("/details/id"), &json!(other), "an ADMIN may read it");
    admin.post(&format!("{path}review/"), json!({ "action": "approve" })).await.unwrap().expect(200).unwrap();
    let late = listener.patch(&path, json!({ "song_title": "Late" })).await.unwrap();
    assert_eq!((late.status, late.at("/code")), (409, &json!("illegal_transition")));
    world.stop().await;
}

#[tokio::test]
async fn a_deleted_request_is_gone_and_does_not_block_another_one() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let (admin, listener) = (&own.admin.client, &own.listener.client);
    let neighbour = world.listener(&own.tenant, "neighbour").await;
    let path = format!("/song-requests/{}/", own.request);
    let same = json!({ "song_title": "Wanted Alpha", "artist_name": "ALPHA" });
    assert_eq!(neighbour.client.post("/song-requests/", same.clone()).await.unwrap().status, 409);
    listener.delete(&path).await.unwrap().expect(204).unwrap();
    assert_eq!(listener.delete(&path).await.unwrap().status, 404);
    assert_eq!(admin.get(&path).await.unwrap().status, 404);
    assert_eq!(listener.get("/song-requests/").await.unwrap().at("/count"), &json!(0));
    let again = neighbour.create("/song-requests/", same).await;
    let by = json!({ "song_id": own.song });
    admin.post(&format!("/song-requests/{again}/fulfill/"), by).await.unwrap().expect(200).unwrap();
    admin.delete(&format!("/song-requests/{again}/")).await.unwrap().expect(204).unwrap();
    assert_eq!(admin.get("/song-requests/").await.unwrap().at("/count"), &json!(0));
    world.stop().await;
}

#[tokio::test]
async fn of_fifty_identical_requests_one_is_made() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let body = json!({ "song_title": "Heroes", "artist_name": "David Bowie" });
    let requests = (0..50).map(|_| own.listener.client.post("/song-requests/", body.clone()));
    let answers = futures_util::future::join_all(requests).await;
    let statuses: Vec<u16> = answers.into_iter().map(|answer| answer.unwrap().status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 49, "{statuses:?}");
    world.stop().await;
}
