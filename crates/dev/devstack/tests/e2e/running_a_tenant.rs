//! An ADMIN manages the users of a tenant.

use devstack::World;
use devstack::world::PASSWORD;
use serde_json::json;

#[tokio::test]
async fn an_admin_creates_users_in_the_own_tenant_only() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let admin = world.admin(&own).await;
    let other = world.tenant("Beta").await;
    let new = |tenant: &str| json!({ "username": "anna", "email": "anna@example.com", "tenant_id": tenant });
    let refused = admin.client.post("/users/", new(&other.id)).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (400, &json!("read_only_field")), "{}", refused.text);
    let made = admin.client.post("/users/", new(&own.id)).await.unwrap().expect(201).unwrap();
    assert_eq!(made.at("/data/tenant_id"), &json!(own.id));
    world.stop().await;
}

#[tokio::test]
async fn sf_07_an_address_that_was_never_verified_gets_codes_and_nothing_else() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let admin = &own.admin;
    let victim = "victim@elsewhere.example";
    let new = json!({ "username": "victim", "email": victim, "password": PASSWORD });
    let victim_id = admin.create("/users/", new).await;
    let fulfil = async |user: &str, title: &str| {
        let wanted = json!({ "song_title": title, "artist_name": "A", "user_id": user });
        let request = admin.create("/song-requests/", wanted).await;
        let song = json!({ "song": { "title": title, "artist": "A", "genre": own.genre } });
        let path = format!("/song-requests/{request}/fulfill/");
        admin.client.post(&path, song).await.unwrap().expect(200).unwrap();
    };
    fulfil(&victim_id, "Your account is suspended, see https://evil.example/").await;
    fulfil(&own.listener.id, "Listen at https://evil.example/ now").await;
    // Mails are sent in their order, so the second one shows that the first was not sent.
    let mail = world.stack.mailbox.wait_for(&own.listener.email, "fulfilled").await;
    assert!(!mail.text.contains("evil"), "{}", mail.text);
    let to_victim = world.stack.mailbox.find(|mail| mail.to.contains(&victim.to_owned()));
    assert!(to_victim.iter().all(|mail| mail.subject.contains("Verification")), "only codes");
    world.stop().await;
}
