//! People sign in, stay signed in, sign out and are locked out.

use devstack::world::PASSWORD;
use devstack::{Service, World};
use serde_json::json;

#[tokio::test]
async fn an_admin_and_a_listener_come_in_by_password_and_mailed_code() {
    let world = World::start().await;
    let tenant = world.tenant("Classic Rock Bar").await;
    let (client, slug) = (world.client(), &tenant.slug);
    assert_eq!(slug, "classic-rock-bar");
    let new = json!({ "username": "boss", "email": "boss@bar.example", "password": PASSWORD, "tenant_id": tenant.id });
    let made = world.root.client.post("/users/", new).await.unwrap().expect(201).unwrap();
    assert_eq!((made.at("/data/role"), made.at("/data/is_verified")), (&json!("ADMIN"), &json!(false)));
    let login = format!("/tenant/{slug}/auth/login/");
    let refused = client.post(&login, json!({ "email": "boss@bar.example", "password": PASSWORD })).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (403, &json!("email_not_verified")));
    world.verify(slug, "boss@bar.example").await;
    let boss = world.sign_in(slug, "boss@bar.example").await;
    let me = boss.client.get("/users/me/").await.unwrap().expect(200).unwrap();
    assert_eq!(me.at("/data/tenant_name"), &json!("Classic Rock Bar"));
    let anna = world.listener(&tenant, "anna").await;
    let seen = boss.client.get(&format!("/users/{}/", anna.id)).await.unwrap().expect(200).unwrap();
    assert_eq!(seen.at("/data/email"), &json!(anna.email));
    world.stop().await;
}

#[tokio::test]
async fn an_unknown_tenant_is_told_before_what_is_missing_in_the_form() {
    let world = World::start().await;
    let slug = world.tenant("Alpha").await.slug;
    let client = world.client();
    for route in ["login/", "login/verify-otp/", "password-reset/", "password-reset/confirm/"] {
        let unknown = client.post(&format!("/tenant/no-such-tenant/auth/{route}"), json!({})).await.unwrap();
        assert_eq!((unknown.status, unknown.at("/code")), (404, &json!("tenant_not_found")), "{route}");
        let known = client.post(&format!("/tenant/{slug}/auth/{route}"), json!({})).await.unwrap();
        assert_eq!((known.status, known.at("/code")), (400, &json!("validation_error")), "{route}: {}", known.text);
    }
    let empty = client.post(&format!("/tenant/{slug}/auth/login/"), json!({})).await.unwrap();
    assert_eq!(empty.at("/errors/password"), &json!(["This field is required."]));
    assert_eq!(empty.at("/errors/non_field_errors"), &json!(["Send either email or username."]));
    world.stop().await;
}

#[tokio::test]
async fn tk_11_a_replay_after_the_successor_was_used_ends_the_session() {
    let world = World::start().await;
    let client = world.client();
    let next =
        client.post("/token/refresh/", json!({ "refresh": world.root.refresh })).await.unwrap().expect(200).unwrap();
    let second = next.text_at("/refresh").unwrap();
    // TK-10: a client whose answer was lost repeats the request and gets the same successor again.
    let again =
        client.post("/token/refresh/", json!({ "refresh": world.root.refresh })).await.unwrap().expect(200).unwrap();
    assert_eq!(again.text_at("/refresh").unwrap(), second);
    client.post("/token/refresh/", json!({ "refresh": second })).await.unwrap().expect(200).unwrap();
    let theft = client.post("/token/refresh/", json!({ "refresh": world.root.refresh })).await.unwrap();
    assert_eq!((theft.status, theft.at("/code")), (401, &json!("token_reused")));
    let dead = world.root.client.with_token(&next.text_at("/access").unwrap());
    testkit::eventually("the family's access token is refused", || async {
        (dead.get("/users/me/").await.unwrap().status == 401).then_some(())
    })
    .await;
    world.stop().await;
}

#[tokio::test]
async fn tk_14_logout_kills_access_and_refresh_and_may_be_repeated() {
    let world = World::start().await;
    world
        .root
        .client
        .post("/auth/logout/", json!({ "refresh": world.root.refresh }))
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    testkit::eventually("the access token is refused", || async {
        let reply = world.root.client.get("/users/me/").await.unwrap();
        (reply.status == 401 && reply.at("/code") == &json!("token_not_valid")).then_some(())
    })
    .await;
    let client = world.client();
    let refused = client.post("/token/refresh/", json!({ "refresh": world.root.refresh })).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (401, &json!("token_not_valid")));
    let again = world.root.client.post("/auth/logout/", json!({ "refresh": world.root.refresh })).await.unwrap();
    assert_eq!(again.status, 401, "{}", again.text);
    world.stop().await;
}

#[tokio::test]
async fn tk_15_a_deactivated_tenant_is_locked_out_at_once_and_may_sign_in_after_activation() {
    let mut world = World::start().await;
    let tenant = world.tenant("Blue Note").await;
    let slug = &tenant.slug;
    let anna = world.listener(&tenant, "anna").await;
    anna.client.get("/users/me/").await.unwrap().expect(200).unwrap();
    let path = format!("/tenants/{}/deactivate/", tenant.id);
    world.root.client.patch(&path, json!({})).await.unwrap().expect(200).unwrap();
    testkit::eventually("access is refused", || async {
        (anna.client.get("/users/me/").await.unwrap().status == 401).then_some(())
    })
    .await;
    let client = world.client();
    let refused = client.post("/token/refresh/", json!({ "refresh": anna.refresh })).await.unwrap();
    assert_eq!(refused.status, 401);
    let login = format!("/tenant/{slug}/auth/login/");
    let gone = client.post(&login, json!({ "email": anna.email, "password": PASSWORD })).await.unwrap();
    assert_eq!((gone.status, gone.at("/code")), (404, &json!("tenant_not_found")));
    // CVE-2026-9802: a revoked token stays revoked across a restart.
    world.stack.restart(Service::Auth).await.unwrap();
    assert_eq!(anna.client.get("/users/me/").await.unwrap().status, 401);
    world
        .root
        .client
        .patch(&format!("/tenants/{}/activate/", tenant.id), json!({}))
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    world.sign_in(slug, &anna.email).await;
    world.stop().await;
}

#[tokio::test]
async fn sf_10_and_tk_10_a_replay_after_the_new_access_token_was_used_ends_the_session_and_tells_the_owner() {
    let world = World::start().await;
    let tenant = world.tenant("Blue Note").await;
    let anna = world.listener(&tenant, "anna").await;
    let client = world.client();
    let refresh = async |token: &str| client.post("/token/refresh/", json!({ "refresh": token })).await.unwrap();
    let first = refresh(&anna.refresh).await.expect(200).unwrap();
    // The answer was lost: the same tokens again.
    let again = refresh(&anna.refresh).await.expect(200).unwrap();
    assert_eq!(first.at("/access"), again.at("/access"));
    let owner = client.with_token(&first.text_at("/access").unwrap());
    owner.get("/users/me/").await.unwrap().expect(200).unwrap();
    // Whoever comes now with the old token is not the one who got the answer.
    let thief = refresh(&anna.refresh).await;
    assert_eq!((thief.status, thief.at("/code")), (401, &json!("token_reused")));
    world.stack.mailbox.wait_for(&anna.email, "session was ended").await;
    world.stop().await;
}

#[tokio::test]
async fn sf_27_a_valid_token_beside_another_one_is_none() {
    let world = World::start().await;
    let twice = world.root.client.request(reqwest::Method::GET, "/users/me/").header("authorization", "Bearer x");
    let refused = world.root.client.send(twice).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (401, &json!("token_not_valid")));
    world.root.client.get("/users/me/").await.unwrap().expect(200).unwrap();
    world.stop().await;
}
