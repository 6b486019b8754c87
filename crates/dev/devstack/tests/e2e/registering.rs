//! A listener registers.

use devstack::World;
use devstack::world::PASSWORD;
use serde_json::json;

#[tokio::test]
async fn en_03_registering_a_known_address_answers_as_success_and_mails_its_owner() {
    let world = World::start().await;
    let tenant = world.tenant("Blue Note").await;
    let anna = world.listener(&tenant, "anna").await;
    let client = world.client();
    let path = format!("/tenant/{}/auth/register/", tenant.slug);
    let body = |name: &str, email: &str| json!({ "username": name, "email": email, "password": PASSWORD, "confirm_password": PASSWORD });
    let known = client.post(&path, body("mallory", &anna.email)).await.unwrap().expect(201).unwrap();
    let unknown = client.post(&path, body("bob", "bob@example.com")).await.unwrap().expect(201).unwrap();
    assert_eq!(known.at("/message"), unknown.at("/message"));
    world.stack.mailbox.wait_for(&anna.email, "already have").await;
    let taken = client.post(&path, body("ANNA", "carol@example.com")).await.unwrap();
    assert_eq!((taken.status, taken.at("/code")), (409, &json!("username_taken")));
    world.stop().await;
}
