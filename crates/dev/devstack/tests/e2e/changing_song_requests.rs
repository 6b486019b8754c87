//! A request is changed while it is pending and deleted at any time; and of many the same one is made.

use devstack::{Service, World};
use kit_pg::bootstrap::open;
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

#[tokio::test]
async fn a_fulfilment_that_is_killed_half_way_leaves_nothing_half_done() {
    let mut world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let admin = own.admin.client.clone();
    let path = format!("/song-requests/{}/", own.request);
    let schema = world.stack.db.songlist.schema.clone();
    // The counts of the list are written after the song and its link, and before the request.
    let blocker = open(world.stack.db.songlist.admin_url()).await.unwrap();
    let lock =
        format!("BEGIN; SELECT FROM {schema}.tenant_song_counts WHERE tenant_id = '{}' FOR UPDATE", own.tenant.id);
    blocker.batch_execute(&lock).await.unwrap();
    let xid: String = blocker.query_one("SELECT pg_current_xact_id()::xid::text", &[]).await.unwrap().get(0);
    let new = json!({ "song": { "title": "Wanted Alpha", "artist": "Alpha", "genre": own.genre } });
    let half = tokio::spawn({
        let (admin, path, new) = (admin.clone(), path.clone(), new.clone());
        async move { admin.post(&format!("{path}fulfill/"), new).await }
    });
    let observer = open(world.stack.db.songlist.admin_url()).await.unwrap();
    let waits = format!("SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid::text = '{xid}'");
    testkit::eventually("the fulfilment waits for the counts", || async {
        let waiting: i64 = observer.query_one(&waits, &[]).await.unwrap().get(0);
        (waiting > 0).then_some(())
    })
    .await;
    world.stack.kill(Service::Songlist);
    blocker.batch_execute("ROLLBACK").await.unwrap();
    let answer = half.await.unwrap();
    assert!(answer.is_ok_and(|reply| reply.status >= 500), "nobody is told that it was done");
    world.stack.restart(Service::Songlist).await.unwrap();
    testkit::eventually("the service answers again", || async {
        admin.get(&path).await.ok().filter(|reply| reply.status == 200)
    })
    .await;
    let request = admin.get(&path).await.unwrap().expect(200).unwrap();
    assert_eq!((request.at("/data/status"), request.at("/data/fulfilled_song")), (&json!("PENDING"), &json!(null)));
    let songs = admin.get("/tenant/songs/?title=Wanted").await.unwrap().expect(200).unwrap();
    assert_eq!(songs.at("/count"), &json!(0), "no song");
    let db = &world.stack.db.songlist;
    let mails = "outbox WHERE topic = 'mail.requested'";
    assert_eq!(testkit::schema::count(db, mails).await.unwrap(), 0, "no mail");
    let done = admin.post(&format!("{path}fulfill/"), new).await.unwrap().expect(200).unwrap();
    assert_eq!(done.at("/data/status"), &json!("FULFILLED"));
    let songs = admin.get("/tenant/songs/?title=Wanted").await.unwrap().expect(200).unwrap();
    assert_eq!(songs.at("/count"), &json!(1));
    world.stop().await;
}
