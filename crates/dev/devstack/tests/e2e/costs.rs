//! What a read costs: messages to Postgres, to the services and to Redis, counted on the wire.

use std::time::Duration;

use devstack::world::FullTenant;
use devstack::{Links, Person, World};
use gateway::{Access, Method, rules};
use kit::caller::Role;
use serde_json::json;

/// The number of writes by clients: to Postgres, to the services, to Redis.
type Sent = (usize, usize, usize);

fn sent(links: &Links) -> Sent {
    let services = links.auth.sent() + links.songlist.sent() + links.payments.sent();
    (links.postgres.sent(), services, links.redis.sent())
}

/// The writes that one GET causes. Background work writes too, so the least of several tries counts.
async fn cost(links: &Links, person: &Person, path: &str) -> Sent {
    for _ in 0..4 {
        person.client.get(path).await.unwrap().expect(200).unwrap();
    }
    let mut least = (usize::MAX, usize::MAX, usize::MAX);
    for _ in 0..12 {
        let before = sent(links);
        person.client.get(path).await.unwrap().expect(200).unwrap();
        // COMMIT is written after the answer.
        tokio::time::sleep(Duration::from_millis(15)).await;
        let after = sent(links);
        least.0 = least.0.min(after.0 - before.0);
        least.1 = least.1.min(after.1 - before.1);
        least.2 = least.2.min(after.2 - before.2);
    }
    least
}

/// The path of a rule with ids of the tenant, and a user who may call it.
fn call<'a>(path: &str, allows: impl Fn(Role) -> bool, own: &'a FullTenant, root: &'a Person) -> (String, &'a Person) {
    let person = if allows(Role::Listener) {
        &own.listener
    } else if allows(Role::Admin) {
        &own.admin
    } else {
        root
    };
    let id: &str = match path {
        "/users/{id}/" => &own.listener.id,
        "/tenants/{id}/" => &own.tenant.id,
        "/genres/{id}/" => &own.genre,
        "/songs/{id}/" => &own.song,
        "/tenant/songs/{id}/" => &own.link,
        "/playlists/{id}/" | "/playlists/{id}/songs/" | "/playlists/{id}/export/" => &own.playlist,
        "/song-requests/{id}/" => &own.request,
        "/payments/{id}/" => &own.payment,
        "/tenant/songs/suggest/" => return (format!("{path}?q=song"), person),
        other if other.contains('{') => panic!("add the id of an object for {other} to `call` in costs.rs"),
        _ => "",
    };
    (path.replace("{id}", id), person)
}

#[tokio::test]
async fn every_get_is_one_flush_and_a_commit_one_call_and_one_trip_to_redis_whatever_the_page_size() {
    let world = World::start_behind_links().await;
    let own = world.full_tenant("Alpha").await;
    for n in 0..30 {
        let new = json!({ "title": format!("More {n}"), "artist": "A", "genre": own.genre });
        own.admin.create("/songs/", new).await;
    }
    let links = world.stack.links().unwrap();
    for rule in rules().filter(|rule| rule.method == Method::Get && matches!(rule.access, Access::Roles(_))) {
        let (path, person) = call(rule.path, |role| rule.allows(role), &own, &world.root);
        let (postgres, services, redis) = cost(links, person, &path).await;
        // The names of requesters are read from auth-service once a minute and then cached, so they cost nothing here.
        assert!(postgres <= 2, "{path}: {postgres} writes to Postgres, one flush and COMMIT are 2");
        assert!(services <= 2, "{path}: {services} writes to services; head and message of one call are 2 at most");
        assert!(redis <= 1, "{path}: {redis} trips to Redis");
        if rule.path.ends_with("songs/") && !rule.path.contains('{') {
            let (small, large) = (format!("{path}?page_size=1"), format!("{path}?page_size=100"));
            let (small, large) = (cost(links, person, &small).await, cost(links, person, &large).await);
            assert!(large.0 <= 2 && large.1 <= 2 && large.2 <= 1, "{path}: {small:?} for one row, {large:?} for many");
        }
    }
    world.stop().await;
}
