//! Clients are generated from the OpenAPI document, so what it shows must work. That every other answer of the suite is
//! one that the document has is checked by the client of the tests (`devstack/src/contract.rs`).

use devstack::world::{FullTenant, PASSWORD};
use devstack::{Client, World};
use gateway::{Body, Rule, rules};
use reqwest::Method;
use serde_json::{Value, json};

/// Who sends the example of a route, and what its ids stand for.
struct Setting {
    client: Client,
    path: String,
    ids: Vec<(&'static str, String)>,
    status: u16,
}

/// `None` for a route whose example holds a code or a token: it cannot be the right one.
async fn setting(rule: &Rule, world: &World, own: &FullTenant) -> Option<Setting> {
    let slug = &own.tenant.slug;
    let (admin, root) = (&own.admin.client, &world.root.client);
    let path = rule.path.replace("{tenant}", slug);
    let with = |client: &Client, id: &str, ids: Vec<(&'static str, String)>, status: u16| {
        Some(Setting { client: client.clone(), path: path.replace("{id}", id), ids, status })
    };
    match rule.id {
        "register" => with(&world.client(), "", vec![], 201),
        "resend_verification" | "start_password_reset" | "start_super_admin_password_reset" | "resend_sign_in_code" => {
            with(&world.client(), "", vec![], 200)
        }
        "start_sign_in" => {
            world.listener(&own.tenant, "asha").await;
            with(&world.client(), "", vec![("email", format!("asha@{slug}.example"))], 200)
        }
        "update_own_profile" => with(&own.listener.client, "", vec![], 200),
        "update_user" => with(admin, &own.listener.id, vec![], 200),
        "change_password" => {
            let listener = world.listener(&own.tenant, "changes").await;
            with(&listener.client, "", vec![], 200)
        }
        "confirm_authenticator" => with(&own.listener.client, "", vec![], 400),
        "update_tenant" => with(root, &own.tenant.id, vec![], 200),
        "create_user" => with(admin, "", vec![], 201),
        "create_tenant" | "create_genre" => with(root, "", vec![], 201),
        "create_song" => with(admin, "", vec![("genre", own.genre.clone())], 201),
        "link_tenant_song" => {
            let new = json!({ "title": "Heroes", "artist": "David Bowie", "genre": own.genre });
            let song = world.root.create("/songs/", new).await;
            with(admin, "", vec![("song_id", song)], 201)
        }
        "update_song" => with(admin, &own.song, vec![], 200),
        "update_genre" => with(root, &own.genre, vec![], 200),
        "link_songs" | "link_tenant_songs" => with(admin, "", vec![("genre_ids", own.genre.clone())], 201),
        "unlink_tenant_songs" | "approve_tenant_songs" => {
            let new = json!({ "title": operation_title(rule), "artist": "David Bowie", "genre": own.genre });
            let song = world.root.create("/songs/", new).await;
            let link = own.admin.create("/tenant/songs/", json!({ "song_id": song })).await;
            with(admin, "", vec![("tenant_song_ids", link)], 200)
        }
        "update_playlist" => with(&own.listener.client, &own.playlist, vec![], 200),
        "remove_playlist_songs" => {
            with(&own.listener.client, &own.playlist, vec![("tenant_song_ids", own.link.clone())], 200)
        }
        // Its example is sent without the ETag that it needs.
        "move_playlist_songs" => with(&own.listener.client, &own.playlist, vec![], 428),
        "update_song_request" => with(&own.listener.client, &own.request, vec![], 200),
        "approve_tenant_song" => with(admin, &own.link, vec![], 200),
        "create_playlist" | "create_song_request" => with(&own.listener.client, "", vec![], 201),
        "add_playlist_songs" => {
            with(&own.listener.client, &own.playlist, vec![("tenant_song_ids", own.link.clone())], 201)
        }
        "review_song_request" => with(admin, &own.request, vec![], 200),
        "fulfill_song_request" => with(admin, &own.request, vec![("song_id", own.song.clone())], 200),
        "verify_email"
        | "finish_sign_in"
        | "finish_super_admin_sign_in"
        | "confirm_password_reset"
        | "confirm_super_admin_password_reset" => with(&world.client(), "", vec![], 400),
        "start_super_admin_sign_in" | "refresh_tokens" => with(&world.client(), "", vec![], 401),
        // It ends the session of the access token, whatever the refresh token is.
        "sign_out" => with(&world.sign_in(slug, &own.listener.email).await.client, "", vec![], 200),
        _ => None,
    }
}

/// A title that no other setting uses.
fn operation_title(rule: &Rule) -> String {
    format!("Song for {}", rule.id)
}

/// What a client of the examples sends as the password that the account has.
const EXAMPLE_PASSWORD: &str = "correct horse battery";

#[tokio::test]
async fn cf_01_and_cf_09_the_examples_of_the_document_are_taken_as_they_stand_and_what_they_make_is_where_it_is_said_to_be()
 {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let document = gateway::openapi_document("http://localhost");
    let mut sent = 0;
    for rule in rules().filter(|rule| matches!(rule.body, Body::Json(..))) {
        let operation = rule.id;
        let setting = setting(rule, &world, &own).await.unwrap_or_else(|| panic!("{operation} has no setting"));
        let pointer = format!(
            "/paths/{}/{}/requestBody/content/application~1json/schema/$ref",
            rule.full_path().replace('/', "~1"),
            rule.method.name().to_lowercase()
        );
        let schema = document.pointer(&pointer).and_then(Value::as_str).unwrap().trim_start_matches('#');
        let mut example = document.pointer(&format!("{schema}/examples/0")).cloned().unwrap();
        for (field, id) in setting.ids {
            let value = example.get_mut(field).unwrap();
            *value = if value.is_array() { json!([id]) } else { json!(id) };
        }
        // The password of the examples stands in a document for everybody, so the accounts of tests have another one.
        for value in example.as_object_mut().unwrap().values_mut().filter(|value| **value == json!(EXAMPLE_PASSWORD)) {
            *value = json!(PASSWORD);
        }
        let method = Method::from_bytes(rule.method.name().as_bytes()).unwrap();
        let answer = setting.client.send(setting.client.request(method, &setting.path).json(&example)).await.unwrap();
        assert_eq!(answer.status, setting.status, "{operation}: {example} {}", answer.text);
        if rule.locates {
            let location = answer.headers.get("location").unwrap().to_str().unwrap();
            let found =
                setting.client.get(location.strip_prefix("/api/v1").unwrap()).await.unwrap().expect(200).unwrap();
            assert_eq!(found.at("/data"), answer.at("/data"), "{operation}");
            assert_eq!(found.headers.get("etag"), answer.headers.get("etag"), "{operation}");
        }
        sent += 1;
    }
    assert!(sent >= 20, "{sent}");
    world.stop().await;
}
