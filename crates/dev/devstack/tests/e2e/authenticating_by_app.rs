//! An authenticator app as the second step of a sign-in.

use devstack::world::{PASSWORD, Tenant};
use devstack::{Person, Reply, World};
use reqwest::Method;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

/// An app with the secret that the server made.
fn app(started: &Reply) -> Totp {
    let secret = Secret::try_from_base32(started.text_at("/data/secret").unwrap()).unwrap();
    Builder::new().with_secret(secret).build().unwrap()
}

/// The code that the app shows now.
fn code(world: &World, app: &Totp) -> String {
    app.generate(u64::try_from(world.stack.clock.now().timestamp()).unwrap()).to_string()
}

/// Adds an authenticator; returns the app and the recovery codes.
async fn enrolled(world: &World, person: &Person) -> (Totp, Vec<Value>) {
    let started = person.client.post("/users/me/totp/", json!({})).await.unwrap().expect(201).unwrap();
    assert!(started.text_at("/data/otpauth_uri").unwrap().starts_with("otpauth://totp/"), "{}", started.text);
    assert!(started.text_at("/data/qr_svg").unwrap().contains("<svg"));
    let app = app(&started);
    let proof = json!({ "otp": code(world, &app) });
    let confirmed = person.client.post("/users/me/totp/confirm/", proof).await.unwrap().expect(200).unwrap();
    (app, confirmed.at("/data/recovery_codes").as_array().cloned().unwrap())
}

/// The first step of a sign-in; the challenge.
async fn start(world: &World, tenant: &Tenant, person: &Person) -> Reply {
    let body = json!({ "email": person.email, "password": PASSWORD });
    let path = format!("/tenant/{}/auth/login/", tenant.slug);
    world.client().post(&path, body).await.unwrap().expect(200).unwrap()
}

async fn finish(world: &World, tenant: &Tenant, started: &Reply, proof: Value) -> Reply {
    let mut body = json!({ "challenge_id": started.text_at("/data/challenge_id").unwrap() });
    body.as_object_mut().unwrap().extend(proof.as_object().cloned().unwrap());
    world.client().post(&format!("/tenant/{}/auth/login/verify-otp/", tenant.slug), body).await.unwrap()
}

/// A step of thirty seconds later.
fn next_step(world: &World) {
    world.stack.clock.advance(std::time::Duration::from_secs(30));
}

#[tokio::test]
async fn a_sign_in_asks_the_app_for_a_code_that_is_good_once_and_no_code_is_mailed() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let anna = world.listener(&own, "anna").await;
    let (app, _) = enrolled(&world, &anna).await;
    let mails = || world.stack.mailbox.find(|mail| mail.subject.contains("Login OTP")).len();
    world.stack.mailbox.wait_for(&anna.email, "authenticator").await;
    let before = mails();
    let started = start(&world, &own, &anna).await;
    assert_eq!(started.at("/data/method"), &json!("totp"));
    let replayed = finish(&world, &own, &started, json!({ "otp": code(&world, &app) })).await;
    assert_eq!(replayed.at("/code"), &json!("otp_invalid"), "the code that confirmed the app is used up");
    next_step(&world);
    let otp = code(&world, &app);
    let done = finish(&world, &own, &started, json!({ "otp": otp })).await.expect(200).unwrap();
    assert_eq!(done.at("/data/user/totp_enabled"), &json!(true));
    let again = start(&world, &own, &anna).await;
    assert_eq!(finish(&world, &own, &again, json!({ "otp": otp })).await.at("/code"), &json!("otp_invalid"));
    let challenge = again.text_at("/data/challenge_id").unwrap();
    let resent = world.client().post("/auth/login/resend-otp/", json!({ "challenge_id": challenge })).await.unwrap();
    assert_eq!((resent.status, resent.at("/code")), (409, &json!("totp_challenge")));
    assert_eq!(mails(), before, "never a mail instead");
    world.stop().await;
}

#[tokio::test]
async fn ot_09_a_recovery_code_signs_in_once_and_is_stored_as_a_mac() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let anna = world.listener(&own, "anna").await;
    let (_, codes) = enrolled(&world, &anna).await;
    assert_eq!(codes.len(), 10);
    let started = start(&world, &own, &anna).await;
    // However it is typed.
    let typed = codes[3].as_str().unwrap().to_lowercase().replace('-', " ");
    finish(&world, &own, &started, json!({ "recovery_code": typed })).await.expect(200).unwrap();
    let started = start(&world, &own, &anna).await;
    let spent = finish(&world, &own, &started, json!({ "recovery_code": codes[3] })).await;
    assert_eq!(spent.at("/code"), &json!("otp_invalid"));
    let superuser = kit_pg::bootstrap::open(world.stack.db.auth.admin_url()).await.unwrap();
    let stored =
        format!("SELECT coalesce(string_agg(t::text, ''), '') FROM {}.recovery_codes t", world.stack.db.auth.schema);
    let text: String = superuser.query_one(&stored, &[]).await.unwrap().get(0);
    let leaked = codes.iter().find(|code| text.contains(code.as_str().unwrap()));
    assert!(leaked.is_none() && !text.is_empty());
    world.stop().await;
}

#[tokio::test]
async fn ot_04_of_many_wrong_codes_of_an_app_five_are_looked_at() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let anna = world.listener(&own, "anna").await;
    let (app, _) = enrolled(&world, &anna).await;
    next_step(&world);
    let started = start(&world, &own, &anna).await;
    for n in 0..5 {
        let wrong = finish(&world, &own, &started, json!({ "otp": format!("00000{n}") })).await;
        assert_eq!(wrong.at("/code"), &json!("otp_invalid"));
    }
    let late = finish(&world, &own, &started, json!({ "otp": code(&world, &app) })).await;
    assert_eq!(late.at("/code"), &json!("otp_invalid"), "the sixth is not looked at, right or wrong");
    world.stop().await;
}

#[tokio::test]
async fn ot_02_a_sign_in_that_an_app_finishes_ends_after_five_minutes() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let anna = world.listener(&own, "anna").await;
    let (app, _) = enrolled(&world, &anna).await;
    for (seconds, status) in [(301, 400), (290, 200)] {
        next_step(&world);
        let started = start(&world, &own, &anna).await;
        world.stack.clock.advance(std::time::Duration::from_secs(seconds));
        let finished = finish(&world, &own, &started, json!({ "otp": code(&world, &app) })).await;
        assert_eq!(finished.status, status, "after {seconds} s: {}", finished.text);
    }
    world.stop().await;
}

#[tokio::test]
async fn se_04_a_second_factor_is_changed_and_an_account_deleted_only_after_a_fresh_sign_in_or_with_the_password() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let anna = world.listener(&own, "anna").await;
    world.stack.clock.advance(std::time::Duration::from_secs(301));
    let client = &anna.client;
    for (method, path) in
        [(Method::POST, "/users/me/totp/"), (Method::DELETE, "/users/me/totp/"), (Method::DELETE, "/users/me/")]
    {
        let call = async |body: Value| client.send(client.request(method.clone(), path).json(&body)).await.unwrap();
        let refused = call(json!({})).await;
        assert_eq!((refused.status, refused.at("/code")), (403, &json!("reauthentication_required")), "{path}");
        let wrong = call(json!({ "password": "wrong horse battery" })).await;
        assert_eq!((wrong.status, wrong.at("/errors/password/0")), (400, &json!("This is not your password.")));
        let right = call(json!({ "password": PASSWORD })).await;
        assert!(matches!(right.status, 201 | 204), "{path}: {}", right.text);
    }
    world.stop().await;
}

#[tokio::test]
async fn ot_16_a_password_reset_does_not_go_around_the_app_and_an_admin_removes_a_lost_one() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let admin = world.admin(&own).await;
    let anna = world.listener(&own, "anna").await;
    enrolled(&world, &anna).await;
    let path = format!("/tenant/{}/auth/password-reset/", own.slug);
    let asked = world.client().post(&path, json!({ "email": anna.email })).await.unwrap().expect(200).unwrap();
    let otp = world.stack.mailbox.wait_for(&anna.email, "Password Reset").await.code().unwrap();
    let body = json!({ "challenge_id": asked.text_at("/data/challenge_id").unwrap(), "otp": otp,
                       "new_password": "staple battery horse", "confirm_password": "staple battery horse" });
    world.client().post(&format!("{path}confirm/"), body).await.unwrap().expect(200).unwrap();
    let login = json!({ "email": anna.email, "password": "staple battery horse" });
    let root = format!("/tenant/{}/auth/login/", own.slug);
    let started = world.client().post(&root, login.clone()).await.unwrap().expect(200).unwrap();
    assert_eq!(started.at("/data/method"), &json!("totp"));
    assert_eq!(admin.client.delete(&format!("/users/{}/totp/", anna.id)).await.unwrap().status, 204);
    let started = world.client().post(&root, login).await.unwrap().expect(200).unwrap();
    assert_eq!(started.at("/data/method"), &json!("email"));
    world.stop().await;
}

#[tokio::test]
async fn ot_14_a_sign_in_that_was_begun_before_the_app_does_not_end_without_it() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let anna = world.listener(&own, "anna").await;
    let seen: Vec<String> =
        world.stack.mailbox.find(|_| true).iter().filter_map(sandbox::mailbox::Mail::code).collect();
    let begun = start(&world, &own, &anna).await;
    assert_eq!(begun.at("/data/method"), &json!("email"));
    let otp = world.client().mailed_code(&world.stack.mailbox_url, &anna.email, &seen).await.unwrap();
    enrolled(&world, &anna).await;
    let around = finish(&world, &own, &begun, json!({ "otp": otp })).await;
    assert_eq!((around.status, around.at("/code")), (400, &json!("otp_invalid")));
    world.stop().await;
}

#[tokio::test]
async fn an_app_is_confirmed_within_ten_minutes_of_the_fresh_sign_in_or_not_at_all() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let anna = world.listener(&own, "anna").await;
    // The longest name of an organisation, which stands in the QR code.
    let renamed = json!({ "name": "\u{915}".repeat(255) });
    world.root.client.patch(&format!("/tenants/{}/", own.id), renamed).await.unwrap().expect(200).unwrap();
    let started = anna.client.post("/users/me/totp/", json!({})).await.unwrap().expect(201).unwrap();
    let app = app(&started);
    world.stack.clock.advance(std::time::Duration::from_secs(601));
    let late = anna.client.post("/users/me/totp/confirm/", json!({ "otp": code(&world, &app) })).await.unwrap();
    assert_eq!((late.status, late.at("/code")), (400, &json!("otp_invalid")), "{}", late.text);
    world.stop().await;
}

#[tokio::test]
async fn sf_03_an_operator_lets_a_super_admin_in_whose_app_is_lost() {
    let world = World::start().await;
    enrolled(&world, &world.root).await;
    next_step(&world);
    let login = json!({ "email": world.root.email, "password": devstack::ROOT.1 });
    let begun = world.client().post("/auth/super-admin/login/", login).await.unwrap().expect(200).unwrap();
    assert_eq!(begun.at("/data/method"), &json!("totp"));
    let shown = world.stack.superusers().await.unwrap().otp(&world.root.email).await.unwrap();
    let proof = json!({ "challenge_id": begun.text_at("/data/challenge_id").unwrap(), "otp": shown.expose() });
    let done = world.client().post("/auth/super-admin/login/verify-otp/", proof).await.unwrap().expect(200).unwrap();
    let root = world.client().with_token(&done.text_at("/access").or(done.text_at("/data/access")).unwrap());
    root.delete("/users/me/totp/").await.unwrap().expect(204).unwrap();
    world.stop().await;
}
