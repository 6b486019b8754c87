//! A user forgot the password, or never had one.

use devstack::World;
use devstack::world::PASSWORD;
use serde_json::json;

#[tokio::test]
async fn ot_16_a_reset_code_sets_a_password_and_ends_every_session() {
    let world = World::start().await;
    let tenant = world.tenant("Blue Note").await;
    let slug = &tenant.slug;
    // A user created without a password sets one with the code of a password reset.
    let new = json!({ "username": "boss", "email": "boss@bar.example", "tenant_id": tenant.id });
    world.root.client.post("/users/", new).await.unwrap().expect(201).unwrap();
    let client = world.client();
    world.verify(slug, "boss@bar.example").await;
    let seen = vec![client.mailed_code(&world.stack.mailbox_url, "boss@bar.example", &[]).await.unwrap()];
    let path = format!("/tenant/{slug}/auth/password-reset/");
    let asked = client.post(&path, json!({ "email": "boss@bar.example" })).await.unwrap().expect(200).unwrap();
    let nobody = client.post(&path, json!({ "email": "nobody@bar.example" })).await.unwrap().expect(200).unwrap();
    assert_eq!(asked.text.len(), nobody.text.len(), "EN-01: same shape whoever asks");
    let otp = client.mailed_code(&world.stack.mailbox_url, "boss@bar.example", &seen).await.unwrap();
    let body = json!({ "challenge_id": asked.text_at("/data/challenge_id").unwrap(), "otp": otp,
                       "new_password": PASSWORD, "confirm_password": PASSWORD });
    client.post(&format!("{path}confirm/"), body).await.unwrap().expect(200).unwrap();
    let boss = world.sign_in(slug, "boss@bar.example").await;
    // The second reset ends what the first password has opened.
    let seen: Vec<String> =
        world.stack.mailbox.find(|_| true).iter().filter_map(sandbox::mailbox::Mail::code).collect();
    let asked = client.post(&path, json!({ "email": "boss@bar.example" })).await.unwrap().expect(200).unwrap();
    let otp = client.mailed_code(&world.stack.mailbox_url, "boss@bar.example", &seen).await.unwrap();
    let body = json!({ "challenge_id": asked.text_at("/data/challenge_id").unwrap(), "otp": otp,
                       "new_password": "staple battery horse", "confirm_password": "staple battery horse" });
    client.post(&format!("{path}confirm/"), body).await.unwrap().expect(200).unwrap();
    testkit::eventually("the session ended", || async {
        (boss.client.get("/users/me/").await.unwrap().status == 401).then_some(())
    })
    .await;
    let refused = client.post("/token/refresh/", json!({ "refresh": boss.refresh })).await.unwrap();
    assert_eq!(refused.status, 401);
    world.stack.mailbox.wait_for("boss@bar.example", "password was changed").await;
    world.stop().await;
}
