//! Whose data a request reaches, whatever else it says.

use devstack::World;
use devstack::world::PASSWORD;
use serde_json::json;
use testkit::schema::count;

#[tokio::test]
async fn tn_01_a_tenant_in_a_header_a_query_or_a_body_changes_nothing() {
    let world = World::start().await;
    let (own, other) = (world.full_tenant("Alpha").await, world.full_tenant("Beta").await);
    let client = &own.listener.client;
    for header in ["x-tenant-id", "x-tenant", "x-app-tenant", "tenant"] {
        let request = client.request(reqwest::Method::GET, "/tenant/songs/").header(header, &other.tenant.id);
        let page = client.send(request).await.unwrap().expect(200).unwrap();
        assert!(page.text.contains("Song Alpha") && !page.text.contains("Beta"), "{header}");
    }
    let refused = client.get(&format!("/tenant/songs/?tenant_id={}", other.tenant.id)).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (400, &json!("unknown_parameter")));
    let mine = json!({ "name": "Mine", "tenant_id": other.tenant.id });
    let made = client.post("/playlists/", mine).await.unwrap().expect(201).unwrap();
    assert_eq!(made.at("/data/user"), &json!(own.listener.id), "what is not known is not looked at");
    let theirs = json!({ "name": "Mine too", "user_id": other.listener.id });
    assert_eq!(client.post("/playlists/", theirs).await.unwrap().status, 400);
    let lists = other.admin.client.get("/playlists/").await.unwrap();
    assert!(!lists.text.contains("Mine"), "{}", lists.text);
    world.stop().await;
}

#[tokio::test]
async fn tn_02_a_token_of_one_tenant_does_nothing_on_the_paths_of_another() {
    let world = World::start().await;
    let (own, other) = (world.tenant("Alpha").await, world.tenant("Beta").await);
    let anna = world.listener(&own, "anna").await;
    let path = format!("/tenant/{}/auth/login/", other.slug);
    let login = json!({ "email": anna.email, "password": PASSWORD });
    let refused = anna.client.post(&path, login).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (401, &json!("invalid_credentials")));
    // A challenge of one tenant does not end at another.
    let login = json!({ "email": anna.email, "password": PASSWORD });
    let home = format!("/tenant/{}/auth/login/", own.slug);
    let seen: Vec<String> =
        world.stack.mailbox.find(|_| true).iter().filter_map(sandbox::mailbox::Mail::code).collect();
    let begun = world.client().post(&home, login).await.unwrap();
    let otp = world.client().mailed_code(&world.stack.mailbox_url, &anna.email, &seen).await.unwrap();
    let proof = json!({ "challenge_id": begun.text_at("/data/challenge_id").unwrap(), "otp": otp });
    let foreign = world.client().post(&format!("{path}verify-otp/"), proof.clone()).await.unwrap();
    assert_eq!((foreign.status, foreign.at("/code")), (400, &json!("otp_invalid")), "OT-07");
    world.client().post(&format!("{home}verify-otp/"), proof).await.unwrap().expect(200).unwrap();
    world.stop().await;
}

#[tokio::test]
async fn tn_03_an_unknown_tenant_gets_one_answer_no_mail_and_no_user() {
    let world = World::start().await;
    let gone = world.tenant("Gone").await;
    world
        .root
        .client
        .patch(&format!("/tenants/{}/", gone.id), json!({ "is_active": false }))
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    let mut answers = Vec::new();
    for slug in ["nobody", gone.slug.as_str(), "0198c2f4-7d1e-7a43-9a53-3f6d0e2b8c11"] {
        let new = json!({ "username": "anna", "email": "anna@x.example", "password": PASSWORD, "confirm_password": PASSWORD });
        for (path, body) in [
            ("register/", new),
            ("login/", json!({ "email": "anna@x.example", "password": PASSWORD })),
            ("password-reset/", json!({ "email": "anna@x.example" })),
            ("resend-verification/", json!({ "email": "anna@x.example" })),
        ] {
            let answer = world.client().post(&format!("/tenant/{slug}/auth/{path}"), body).await.unwrap();
            assert_eq!((answer.status, answer.at("/code")), (404, &json!("tenant_not_found")), "{slug} {path}");
            answers.push(crate::walls::bare(&answer));
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let users = count(&world.stack.db.auth, "users WHERE tenant_id IS NOT NULL").await.unwrap();
    let waiting =
        count(&world.stack.db.auth, "outbox WHERE topic LIKE 'mail%' AND tenant_id IS NOT NULL").await.unwrap();
    assert_eq!((users, waiting), (0, 0));
    world.stop().await;
}

#[tokio::test]
async fn tn_10_and_tn_11_one_idempotency_key_of_two_users_tenants_or_routes_is_several() {
    let world = World::start().await;
    let (own, other) = (world.full_tenant("Alpha").await, world.full_tenant("Beta").await);
    let neighbour = world.listener(&own.tenant, "neighbour").await;
    let mut ids = Vec::new();
    for person in [&own.listener, &neighbour, &other.listener] {
        for (path, body) in [
            ("/playlists/", json!({ "name": "Same" })),
            ("/song-requests/", json!({ "song_title": person.email, "artist_name": "A" })),
        ] {
            let request =
                person.client.request(reqwest::Method::POST, path).header("idempotency-key", "same").json(&body);
            let made = person.client.send(request).await.unwrap().expect(201).unwrap();
            assert!(!made.headers.contains_key("idempotency-replayed"), "{path}");
            ids.push(made.text_at("/data/id").unwrap());
        }
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6);
    world.stop().await;
}

#[tokio::test]
async fn en_08_a_username_of_another_tenant_is_free() {
    let world = World::start().await;
    let (own, other) = (world.tenant("Alpha").await, world.tenant("Beta").await);
    let one = world.listener(&own, "anna").await;
    let new = json!({ "username": "anna", "email": one.email, "password": PASSWORD, "confirm_password": PASSWORD });
    let path = format!("/tenant/{}/auth/register/", other.slug);
    world.client().post(&path, new).await.unwrap().expect(201).unwrap();
    world.stop().await;
}

#[tokio::test]
async fn tk_13_and_tk_17_a_logout_with_the_refresh_token_of_somebody_else_ends_the_own_session_only() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let (anna, bert) = (world.listener(&own, "anna").await, world.listener(&own, "bert").await);
    anna.client.post("/auth/logout/", json!({ "refresh": bert.refresh })).await.unwrap().expect(200).unwrap();
    testkit::eventually("anna is out", || async {
        (anna.client.get("/users/me/").await.unwrap().status == 401).then_some(())
    })
    .await;
    assert_eq!(bert.client.get("/users/me/").await.unwrap().status, 200);
    let refreshed = world.client().post("/token/refresh/", json!({ "refresh": bert.refresh })).await.unwrap();
    assert_eq!(refreshed.status, 200);
    assert_eq!(refreshed.headers.get("cache-control").unwrap(), "no-store");
    world.stop().await;
}

#[tokio::test]
async fn db_05_every_role_has_a_limit_of_connections() {
    let world = World::start().await;
    let superuser = kit_pg::bootstrap::open(world.stack.db.auth.admin_url()).await.unwrap();
    let unlimited = "SELECT count(*) FROM pg_roles WHERE rolname ~ '^(auth|songlist|payments|scheduler)_(rw|owner)$' AND rolconnlimit < 0";
    assert_eq!(superuser.query_one(unlimited, &[]).await.unwrap().get::<_, i64>(0), 0);
    let roles = "SELECT count(*) FROM pg_roles WHERE rolname ~ '^(auth|songlist|payments|scheduler)_(rw|owner)$'";
    assert_eq!(superuser.query_one(roles, &[]).await.unwrap().get::<_, i64>(0), 8);
    world.stop().await;
}
