use std::time::Duration;

use devstack::{Client, Person, ROOT, Service, Stack};
use serde_json::json;

const PASSWORD: &str = "correct horse battery";

/// A tenant with its slug, made by the SUPER_ADMIN.
async fn tenant(root: &Person, name: &str) -> (String, String) {
    let made = root.client.post("/tenants/", json!({ "name": name })).await.unwrap().expect(201).unwrap();
    (made.text_at("/data/id").unwrap(), made.text_at("/data/slug").unwrap())
}

async fn verify(stack: &Stack, client: &Client, slug: &str, email: &str) {
    let otp = client.mailed_code(&stack.mailbox_url, email, &[]).await.unwrap();
    let path = format!("/tenant/{slug}/auth/verify-email/");
    client.post(&path, json!({ "email": email, "otp": otp })).await.unwrap().expect(200).unwrap();
}

async fn listener(stack: &Stack, slug: &str, name: &str) -> Person {
    let (client, email) = (stack.client().unwrap(), format!("{name}@example.com"));
    let body = json!({ "username": name, "email": email, "password": PASSWORD, "confirm_password": PASSWORD });
    client.post(&format!("/tenant/{slug}/auth/register/"), body).await.unwrap().expect(201).unwrap();
    verify(stack, &client, slug, &email).await;
    client.sign_in(&format!("/tenant/{slug}/auth"), &stack.mailbox_url, &email, PASSWORD).await.unwrap()
}

#[tokio::test]
async fn an_admin_and_a_listener_come_in_by_password_and_mailed_code() {
    let stack = Stack::start().await.unwrap();
    let root = stack.root().await.unwrap();
    let (id, slug) = tenant(&root, "Classic Rock Bar").await;
    assert_eq!(slug, "classic-rock-bar");
    let new = json!({ "username": "boss", "email": "boss@bar.example", "password": PASSWORD, "tenant_id": id });
    let made = root.client.post("/users/", new).await.unwrap().expect(201).unwrap();
    assert_eq!((made.at("/data/role"), made.at("/data/is_verified")), (&json!("ADMIN"), &json!(false)));
    let client = stack.client().unwrap();
    let login = format!("/tenant/{slug}/auth/login/");
    let refused = client.post(&login, json!({ "email": "boss@bar.example", "password": PASSWORD })).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (403, &json!("email_not_verified")));
    verify(&stack, &client, &slug, "boss@bar.example").await;
    let root_path = format!("/tenant/{slug}/auth");
    let boss = client.sign_in(&root_path, &stack.mailbox_url, "boss@bar.example", PASSWORD).await.unwrap();
    let me = boss.client.get("/users/me/").await.unwrap().expect(200).unwrap();
    assert_eq!(me.at("/data/tenant_name"), &json!("Classic Rock Bar"));
    let anna = listener(&stack, &slug, "anna").await;
    let seen = boss.client.get(&format!("/users/{}/", anna.id)).await.unwrap().expect(200).unwrap();
    assert_eq!(seen.at("/data/email"), &json!("anna@example.com"));
    stack.stop().await;
}

#[tokio::test]
async fn tk_09_parallel_refreshes_of_one_token_make_one_successor() {
    let stack = Stack::start().await.unwrap();
    let root = stack.root().await.unwrap();
    let client = stack.client().unwrap();
    let refreshes = (0..40).map(|_| {
        let (client, body) = (client.clone(), json!({ "refresh": root.refresh }));
        tokio::spawn(async move { client.post("/token/refresh/", body).await.unwrap() })
    });
    let mut tokens = Vec::new();
    for refresh in refreshes.collect::<Vec<_>>() {
        let reply = refresh.await.unwrap();
        if reply.status == 200 {
            tokens.push(reply.text_at("/refresh").unwrap());
        }
    }
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "every parallel refresh gets the same successor");
    stack.stop().await;
}

#[tokio::test]
async fn tk_11_a_replay_after_the_successor_was_used_ends_the_session() {
    let stack = Stack::start().await.unwrap();
    let root = stack.root().await.unwrap();
    let client = stack.client().unwrap();
    let next = client.post("/token/refresh/", json!({ "refresh": root.refresh })).await.unwrap().expect(200).unwrap();
    let second = next.text_at("/refresh").unwrap();
    // TK-10: the answer was lost, the same successor comes again.
    let again = client.post("/token/refresh/", json!({ "refresh": root.refresh })).await.unwrap().expect(200).unwrap();
    assert_eq!(again.text_at("/refresh").unwrap(), second);
    client.post("/token/refresh/", json!({ "refresh": second })).await.unwrap().expect(200).unwrap();
    let theft = client.post("/token/refresh/", json!({ "refresh": root.refresh })).await.unwrap();
    assert_eq!((theft.status, theft.at("/code")), (401, &json!("token_reused")));
    let dead = root.client.with_token(&next.text_at("/access").unwrap());
    testkit::eventually("the family's access token is refused", || async {
        (dead.get("/users/me/").await.unwrap().status == 401).then_some(())
    })
    .await;
    stack.stop().await;
}

#[tokio::test]
async fn tk_14_logout_kills_access_and_refresh_and_may_be_repeated() {
    let stack = Stack::start().await.unwrap();
    let root = stack.root().await.unwrap();
    root.client.post("/auth/logout/", json!({ "refresh": root.refresh })).await.unwrap().expect(200).unwrap();
    testkit::eventually("the access token is refused", || async {
        let reply = root.client.get("/users/me/").await.unwrap();
        (reply.status == 401 && reply.at("/code") == &json!("token_not_valid")).then_some(())
    })
    .await;
    let client = stack.client().unwrap();
    let refused = client.post("/token/refresh/", json!({ "refresh": root.refresh })).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (401, &json!("token_not_valid")));
    stack.stop().await;
}

#[tokio::test]
async fn tk_15_a_deactivated_tenant_is_locked_out_at_once_and_may_sign_in_after_activation() {
    let mut stack = Stack::start().await.unwrap();
    let root = stack.root().await.unwrap();
    let (id, slug) = tenant(&root, "Blue Note").await;
    let anna = listener(&stack, &slug, "anna").await;
    anna.client.get("/users/me/").await.unwrap().expect(200).unwrap();
    let path = format!("/tenants/{id}/deactivate/");
    root.client.patch(&path, json!({})).await.unwrap().expect(200).unwrap();
    testkit::eventually("access is refused", || async {
        (anna.client.get("/users/me/").await.unwrap().status == 401).then_some(())
    })
    .await;
    let client = stack.client().unwrap();
    let refused = client.post("/token/refresh/", json!({ "refresh": anna.refresh })).await.unwrap();
    assert_eq!(refused.status, 401);
    let login = format!("/tenant/{slug}/auth/login/");
    let gone = client.post(&login, json!({ "email": anna.email, "password": PASSWORD })).await.unwrap();
    assert_eq!((gone.status, gone.at("/code")), (404, &json!("tenant_not_found")));
    // CVE-2026-9802: what was revoked stays dead across a restart.
    stack.restart(Service::Auth).await.unwrap();
    assert_eq!(anna.client.get("/users/me/").await.unwrap().status, 401);
    root.client.patch(&format!("/tenants/{id}/activate/"), json!({})).await.unwrap().expect(200).unwrap();
    let root_path = format!("/tenant/{slug}/auth");
    client.sign_in(&root_path, &stack.mailbox_url, &anna.email, PASSWORD).await.unwrap();
    stack.stop().await;
}

#[tokio::test]
async fn ot_04_the_sixth_guess_is_refused_even_when_it_is_right() {
    let stack = Stack::start().await.unwrap();
    let client = stack.client().unwrap();
    let login = json!({ "email": ROOT.0, "password": ROOT.1 });
    let started = client.post("/auth/super-admin/login/", login).await.unwrap().expect(200).unwrap();
    let challenge = started.text_at("/data/challenge_id").unwrap();
    let otp = client.mailed_code(&stack.mailbox_url, ROOT.0, &[]).await.unwrap();
    let wrong = if otp == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        let body = json!({ "challenge_id": challenge, "otp": wrong });
        let refused = client.post("/auth/super-admin/login/verify-otp/", body).await.unwrap();
        assert_eq!((refused.status, refused.at("/code")), (400, &json!("otp_invalid")));
    }
    let body = json!({ "challenge_id": challenge, "otp": otp });
    let refused = client.post("/auth/super-admin/login/verify-otp/", body).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (400, &json!("otp_invalid")));
    stack.stop().await;
}

#[tokio::test]
async fn ot_03_and_ot_04_parallel_submits_evaluate_five_guesses_and_let_one_in() {
    let stack = Stack::start().await.unwrap();
    let client = stack.client().unwrap();
    let login = json!({ "email": ROOT.0, "password": ROOT.1 });
    let started = client.post("/auth/super-admin/login/", login).await.unwrap().expect(200).unwrap();
    let challenge = started.text_at("/data/challenge_id").unwrap();
    let otp = client.mailed_code(&stack.mailbox_url, ROOT.0, &[]).await.unwrap();
    let submits: Vec<_> = (0..30)
        .map(|_| {
            let (client, body) = (client.clone(), json!({ "challenge_id": challenge, "otp": otp }));
            tokio::spawn(async move { client.post("/auth/super-admin/login/verify-otp/", body).await.unwrap().status })
        })
        .collect();
    let mut let_in = 0;
    for submit in submits {
        let_in += u32::from(submit.await.unwrap() == 200);
    }
    assert_eq!(let_in, 1);
    stack.stop().await;
}

#[tokio::test]
async fn ot_02_a_code_lives_five_minutes_from_its_dispatch() {
    let stack = Stack::start().await.unwrap();
    let client = stack.client().unwrap();
    let login = json!({ "email": ROOT.0, "password": ROOT.1 });
    let started = client.post("/auth/super-admin/login/", login).await.unwrap().expect(200).unwrap();
    let otp = client.mailed_code(&stack.mailbox_url, ROOT.0, &[]).await.unwrap();
    stack.clock.advance(Duration::from_secs(301));
    let body = json!({ "challenge_id": started.text_at("/data/challenge_id").unwrap(), "otp": otp });
    let refused = client.post("/auth/super-admin/login/verify-otp/", body).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (400, &json!("otp_invalid")));
    stack.stop().await;
}

#[tokio::test]
async fn en_03_registering_a_known_address_answers_as_success_and_mails_its_owner() {
    let stack = Stack::start().await.unwrap();
    let root = stack.root().await.unwrap();
    let (_, slug) = tenant(&root, "Blue Note").await;
    let anna = listener(&stack, &slug, "anna").await;
    let client = stack.client().unwrap();
    let path = format!("/tenant/{slug}/auth/register/");
    let body = |name: &str, email: &str| json!({ "username": name, "email": email, "password": PASSWORD, "confirm_password": PASSWORD });
    let known = client.post(&path, body("mallory", &anna.email)).await.unwrap().expect(201).unwrap();
    let unknown = client.post(&path, body("bob", "bob@example.com")).await.unwrap().expect(201).unwrap();
    assert_eq!(known.at("/message"), unknown.at("/message"));
    stack.mailbox.wait_for(&anna.email, "already have").await;
    let taken = client.post(&path, body("ANNA", "carol@example.com")).await.unwrap();
    assert_eq!((taken.status, taken.at("/code")), (409, &json!("username_taken")));
    stack.stop().await;
}

#[tokio::test]
async fn ot_16_a_reset_code_sets_a_password_and_ends_every_session() {
    let stack = Stack::start().await.unwrap();
    let root = stack.root().await.unwrap();
    let (id, slug) = tenant(&root, "Blue Note").await;
    // Without a password the person sets one by the reset code.
    let new = json!({ "username": "boss", "email": "boss@bar.example", "tenant_id": id });
    root.client.post("/users/", new).await.unwrap().expect(201).unwrap();
    let client = stack.client().unwrap();
    verify(&stack, &client, &slug, "boss@bar.example").await;
    let seen = vec![client.mailed_code(&stack.mailbox_url, "boss@bar.example", &[]).await.unwrap()];
    let path = format!("/tenant/{slug}/auth/password-reset/");
    let asked = client.post(&path, json!({ "email": "boss@bar.example" })).await.unwrap().expect(200).unwrap();
    let nobody = client.post(&path, json!({ "email": "nobody@bar.example" })).await.unwrap().expect(200).unwrap();
    assert_eq!(asked.text.len(), nobody.text.len(), "EN-01: same shape whoever asks");
    let otp = client.mailed_code(&stack.mailbox_url, "boss@bar.example", &seen).await.unwrap();
    let body = json!({ "challenge_id": asked.text_at("/data/challenge_id").unwrap(), "otp": otp,
                       "new_password": PASSWORD, "confirm_password": PASSWORD });
    client.post(&format!("{path}confirm/"), body).await.unwrap().expect(200).unwrap();
    let root_path = format!("/tenant/{slug}/auth");
    client.sign_in(&root_path, &stack.mailbox_url, "boss@bar.example", PASSWORD).await.unwrap();
    stack.stop().await;
}

#[tokio::test]
async fn an_unknown_tenant_is_told_before_what_is_missing_in_the_form() {
    let stack = Stack::start().await.unwrap();
    let root = stack.root().await.unwrap();
    let (_, slug) = tenant(&root, "Alpha").await;
    let client = stack.client().unwrap();
    for route in ["login/", "login/verify-otp/", "password-reset/", "password-reset/confirm/"] {
        let unknown = client.post(&format!("/tenant/no-such-tenant/auth/{route}"), json!({})).await.unwrap();
        assert_eq!((unknown.status, unknown.at("/code")), (404, &json!("tenant_not_found")), "{route}");
        let known = client.post(&format!("/tenant/{slug}/auth/{route}"), json!({})).await.unwrap();
        assert_eq!((known.status, known.at("/code")), (400, &json!("validation_error")), "{route}: {}", known.text);
    }
    let empty = client.post(&format!("/tenant/{slug}/auth/login/"), json!({})).await.unwrap();
    assert_eq!(empty.at("/errors/password"), &json!(["This field is required."]));
    assert_eq!(empty.at("/errors/non_field_errors"), &json!(["Send either email or username."]));
    stack.stop().await;
}

#[tokio::test]
async fn an_admin_creates_users_in_the_own_tenant_only() {
    let stack = Stack::start().await.unwrap();
    let root = stack.root().await.unwrap();
    let own = crate::world::unpaid_tenant(&stack, &root, "Alpha").await;
    let (other, _) = tenant(&root, "Beta").await;
    let new = |tenant: &str| json!({ "username": "anna", "email": "anna@example.com", "tenant_id": tenant });
    let refused = own.admin.client.post("/users/", new(&other)).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (400, &json!("read_only_field")), "{}", refused.text);
    let made = own.admin.client.post("/users/", new(&own.tenant)).await.unwrap().expect(201).unwrap();
    assert_eq!(made.at("/data/tenant_id"), &json!(own.tenant));
    stack.stop().await;
}
