//! Two hundred requests at the same time, on a stack that has served requests before: each of them gets an answer.

use std::future::Future;

use devstack::world::FullTenant;
use devstack::{Reply, World};
use serde_json::json;

const BURST: usize = 200;

/// Sends all requests at the same time; returns their answers.
async fn burst<F, Fut>(request: F) -> Vec<Reply>
where
    F: Fn(usize) -> Fut,
    Fut: Future<Output = anyhow::Result<Reply>> + Send + 'static,
{
    let running: Vec<_> = (0..BURST).map(|n| tokio::spawn(request(n))).collect();
    let mut replies = Vec::new();
    for request in running {
        replies.push(request.await.unwrap().unwrap());
    }
    replies
}

fn count(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

/// Up to three answers with other statuses than the expected ones, for a message.
fn others(replies: &[Reply], expected: &[u16]) -> Vec<String> {
    let other = replies.iter().filter(|reply| !expected.contains(&reply.status));
    other.map(|reply| format!("{} {}", reply.status, reply.text)).take(3).collect()
}

async fn reads(own: &FullTenant) {
    for path in ["/tenant/songs/", "/playlists/", "/song-requests/", "/users/me/"] {
        let client = own.listener.client.clone();
        let replies = burst(|_| {
            let client = client.clone();
            async move { client.get(path).await }
        })
        .await;
        assert_eq!(count(&replies, 200), BURST, "{path}: {:?}", others(&replies, &[200]));
    }
}

#[tokio::test]
async fn rf_04_a_burst_on_a_warm_stack_is_answered_and_not_refused() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    reads(&own).await;
    let client = own.listener.client.clone();
    let lists = burst(|n| {
        let client = client.clone();
        async move { client.post("/playlists/", json!({ "name": format!("List {n}") })).await }
    })
    .await;
    assert_eq!(count(&lists, 201), BURST, "{:?}", others(&lists, &[201]));
    // One request creates the song request; the others get 409, because it exists.
    let requests = burst(|_| {
        let client = client.clone();
        async move { client.post("/song-requests/", json!({ "song_title": "Same", "artist_name": "Same" })).await }
    })
    .await;
    let made = (count(&requests, 201), count(&requests, 409));
    assert_eq!(made, (1, BURST - 1), "{:?}", others(&requests, &[201, 409]));
    let refresh = own.listener.refresh.clone();
    let refreshes = burst(|_| {
        let (client, body) = (client.clone(), json!({ "refresh": refresh }));
        async move { client.post("/token/refresh/", body).await }
    })
    .await;
    assert_eq!(count(&refreshes, 200), BURST, "{:?}", others(&refreshes, &[200]));
    world.stop().await;
}
