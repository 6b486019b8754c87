//! Tenants are strictly isolated: tested for every route of the policy table, every actor and every object of another
//! tenant.

use devstack::world::{FullTenant, PASSWORD};
use devstack::{Person, Reply, World};
use gateway::{Access, Rule, rules};
use kit::caller::Role;
use reqwest::Method;
use serde_json::{Value, json};

/// The ids of another tenant's objects for the parameters of a route. A route that is missing here fails the test.
fn foreign(rule: &Rule, other: &FullTenant, role: Role) -> Option<Vec<(&'static str, String)>> {
    let id = |id: &str| Some(vec![("{id}", id.to_owned())]);
    match rule.path {
        // A SUPER_ADMIN may read every tenant, every genre and the ADMINs, but neither LISTENERs nor TENANT songs.
        "/users/{id}/" => id(&other.listener.id),
        "/tenants/{id}/" | "/tenants/{id}/activate/" | "/tenants/{id}/deactivate/" if role == Role::SuperAdmin => {
            id(&other.playlist)
        }
        "/tenants/{id}/" => id(&other.tenant.id),
        "/genres/{id}/" => id(&other.playlist),
        "/songs/{id}/" => id(&other.song),
        "/tenant/songs/{id}/" => id(&other.link),
        "/playlists/{id}/" | "/playlists/{id}/songs/" => id(&other.playlist),
        "/playlists/{id}/songs/{tenant_song_id}/" => {
            Some(vec![("{id}", other.playlist.clone()), ("{tenant_song_id}", other.link.clone())])
        }
        "/song-requests/{id}/" | "/song-requests/{id}/review/" | "/song-requests/{id}/fulfill/" => id(&other.request),
        "/payments/{id}/" => id(&other.payment),
        _ => None,
    }
}

async fn call(person: Option<&Person>, world: &World, rule: &Rule, path: &str) -> Reply {
    let client = person.map_or_else(|| world.client(), |person| person.client.clone());
    let method = Method::from_bytes(rule.method.name().as_bytes()).unwrap();
    let request = client.request(method, path);
    let request = if rule.method.name() == "GET" { request } else { request.json(&json!({})) };
    client.send(request).await.unwrap()
}

/// The body without the request id, the only part that may differ.
fn bare(reply: &Reply) -> Value {
    let mut body = reply.body.clone();
    if let Some(object) = body.as_object_mut() {
        object.remove("request_id");
    }
    body
}

#[tokio::test]
async fn tn_04_every_route_refuses_every_actor_and_object_that_is_not_in_its_scope() {
    every_route_refuses().await;
}

/// The tenant predicates of the queries are switched off. This runs in a process of its own, because the switch is
/// global.
#[tokio::test]
async fn row_level_security_alone_keeps_tenants_apart() {
    const ALONE: &str = "isolation::row_level_security_alone_keeps_tenants_apart";
    const SWITCH: &str = "SONGLIST_TEST_WITHOUT_TENANT_PREDICATE";
    if std::env::var_os(SWITCH).is_some() {
        kit_pg::switch_off_tenant_predicate(true);
        return every_route_refuses().await;
    }
    let mut alone = tokio::process::Command::new(std::env::current_exe().unwrap());
    let output = alone.args([ALONE, "--exact", "--nocapture"]).env(SWITCH, "1").output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

async fn every_route_refuses() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let other = world.full_tenant("Beta").await;
    let actors = [(Role::Listener, &own.listener), (Role::Admin, &own.admin), (Role::SuperAdmin, &world.root)];
    for rule in rules().filter(|rule| matches!(rule.access, Access::Roles(_))) {
        let concrete = |values: &[(&str, String)]| {
            values.iter().fold(rule.path.to_owned(), |path, (name, value)| path.replace(name, value))
        };
        let any = [("{id}", own.playlist.clone()), ("{tenant_song_id}", own.link.clone())];
        let anonymous = call(None, &world, rule, &concrete(&any)).await;
        assert_eq!((anonymous.status, anonymous.at("/code")), (401, &json!("not_authenticated")), "{}", rule.path);
        for (role, person) in &actors {
            let what = format!("{} {} as {role:?}", rule.method.name(), rule.path);
            if !rule.allows(*role) {
                let refused = call(Some(person), &world, rule, &concrete(&any)).await;
                assert_eq!((refused.status, refused.at("/code")), (403, &json!("permission_denied")), "{what}");
                continue;
            }
            if !rule.path.contains('{') {
                continue;
            }
            let foreign = foreign(rule, &other, *role).unwrap_or_else(|| panic!("no row for {what}"));
            let with = |value: &str| foreign.iter().map(|(name, _)| (*name, value.to_owned())).collect::<Vec<_>>();
            let theirs = call(Some(person), &world, rule, &concrete(&foreign)).await;
            let unknown = call(Some(person), &world, rule, &concrete(&with(&kit::ids::random().to_string()))).await;
            let malformed = call(Some(person), &world, rule, &concrete(&with("no-such-id"))).await;
            assert_eq!(theirs.status, 404, "{what}: {}", theirs.text);
            // EN-07: the bodies are equal byte for byte, whatever the reason.
            assert_eq!(bare(&theirs), bare(&unknown), "{what}");
            assert_eq!(bare(&theirs), bare(&malformed), "{what}");
            assert!(!theirs.text.contains("Beta"), "{what}: a canary of the other tenant");
        }
    }
    world.stop().await;
}

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
