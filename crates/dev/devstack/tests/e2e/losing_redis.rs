//! Redis is stopped, answers nothing, or loses its data: people go on signing in, and nothing revoked becomes valid.

use devstack::World;
use devstack::world::PASSWORD;
use serde_json::json;
use testkit::eventually;

/// Everything that a person does with the account: sign in with a mailed code, read, renew the session.
async fn goes_on(world: &World, slug: &str, email: &str) {
    let person = world.sign_in(slug, email).await;
    person.client.get("/users/me/").await.unwrap().expect(200).unwrap();
    let renewed = world.client().post("/token/refresh/", json!({ "refresh": person.refresh })).await.unwrap();
    assert_eq!(renewed.status, 200, "{}", renewed.text);
}

#[tokio::test]
async fn fault_01_while_redis_is_stopped_people_sign_in_and_limits_are_kept_by_each_process() {
    let world = World::start_behind_links_with_real_limits().await;
    let own = world.tenant("Alpha").await;
    let anna = world.listener(&own, "anna").await;
    world.stack.links().unwrap().redis.refuse();
    goes_on(&world, &own.slug, &anna.email).await;
    let login = json!({ "email": "bob@example.com", "password": "wrong horse battery" });
    let path = format!("/tenant/{}/auth/login/", own.slug);
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(world.client().post(&path, login.clone()).await.unwrap().status);
    }
    assert!(statuses.starts_with(&[401]) && statuses.ends_with(&[429]), "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 401 | 429)), "no error of the limiter: {statuses:?}");
    world.stop().await;
}

#[tokio::test]
async fn fault_02_a_redis_that_answers_nothing_is_soon_not_asked_any_more_and_asked_again_when_it_is_back() {
    let world = World::start_behind_links().await;
    let own = world.tenant("Alpha").await;
    let anna = world.listener(&own, "anna").await;
    let redis = &world.stack.links().unwrap().redis;
    redis.freeze();
    eventually("the breaker is open", || async {
        let before = redis.sent() + redis.accepted();
        anna.client.get("/users/me/").await.unwrap().expect(200).unwrap();
        (redis.sent() + redis.accepted() == before).then_some(())
    })
    .await;
    goes_on(&world, &own.slug, &anna.email).await;
    redis.mend();
    eventually("Redis is asked again", || async {
        let before = redis.sent();
        anna.client.get("/users/me/").await.unwrap().expect(200).unwrap();
        (redis.sent() > before).then_some(())
    })
    .await;
    world.stop().await;
}

#[tokio::test]
async fn fault_03_and_fault_06_a_logout_while_redis_is_away_counts_and_the_dead_token_of_an_admin_is_never_accepted() {
    let world = World::start_behind_links().await;
    let own = world.tenant("Alpha").await;
    let (admin, other) = (world.admin(&own).await, world.listener(&own, "anna").await);
    let redis = &world.stack.links().unwrap().redis;
    redis.refuse();
    admin.client.post("/auth/logout/", json!({ "refresh": admin.refresh })).await.unwrap().expect(200).unwrap();
    eventually("the token is refused", || async {
        let status = admin.client.get("/users/").await.unwrap().status;
        assert!(matches!(status, 200 | 401 | 503), "{status}");
        (status != 200).then_some(())
    })
    .await;
    for _ in 0..20 {
        let status = admin.client.get("/users/").await.unwrap().status;
        assert!(matches!(status, 401 | 503), "{status}");
    }
    redis.mend();
    eventually("it is refused with certainty", || async {
        (admin.client.get("/users/").await.unwrap().status == 401).then_some(())
    })
    .await;
    let refused = world.client().post("/token/refresh/", json!({ "refresh": admin.refresh })).await.unwrap();
    assert_eq!(refused.status, 401);
    assert_eq!(other.client.get("/users/me/").await.unwrap().status, 200);
    world.stop().await;
}

#[tokio::test]
async fn fault_04_and_fault_05_a_redis_that_has_lost_its_data_lets_no_revoked_token_in() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let (anna, bert) = (world.listener(&own, "anna").await, world.listener(&own, "bert").await);
    anna.client.post("/auth/logout/", json!({ "refresh": anna.refresh })).await.unwrap().expect(200).unwrap();
    let admin = world.admin(&own).await;
    let off = json!({ "is_active": false });
    admin.client.patch(&format!("/users/{}/", bert.id), off).await.unwrap().expect(200).unwrap();
    for person in [&anna, &bert] {
        eventually("out", || async { (person.client.get("/users/me/").await.unwrap().status == 401).then_some(()) })
            .await;
    }
    // Redis may have known it before the gateway's own copy did, which has two seconds from the logout on.
    world.stack.flush_redis().await.unwrap();
    for person in [&anna, &bert] {
        eventually("known without Redis", || async {
            (person.client.get("/users/me/").await.unwrap().status == 401).then_some(())
        })
        .await;
    }
    for _ in 0..3 {
        world.stack.flush_redis().await.unwrap();
        for _ in 0..20 {
            for person in [&anna, &bert] {
                let status = person.client.get("/users/me/").await.unwrap().status;
                assert!(matches!(status, 401 | 503), "{status}");
            }
        }
    }
    // A refresh token that was used is still known: its truth is in Postgres.
    let carol = world.sign_in(&own.slug, &admin.email).await;
    let refresh =
        async |token: &str| world.client().post("/token/refresh/", json!({ "refresh": token })).await.unwrap();
    let next = refresh(&carol.refresh).await.expect(200).unwrap().text_at("/refresh").unwrap();
    refresh(&next).await.expect(200).unwrap();
    world.stack.flush_redis().await.unwrap();
    assert_eq!(refresh(&carol.refresh).await.at("/code"), &json!("token_reused"));
    world.stop().await;
}

#[tokio::test]
async fn budgets_of_codes_are_kept_without_redis() {
    let world = World::start_behind_links().await;
    let own = world.tenant("Alpha").await;
    let anna = world.listener(&own, "anna").await;
    world.stack.links().unwrap().redis.refuse();
    let path = format!("/tenant/{}/auth/login/", own.slug);
    let login = json!({ "email": anna.email, "password": PASSWORD });
    let seen: Vec<String> =
        world.stack.mailbox.find(|_| true).iter().filter_map(sandbox::mailbox::Mail::code).collect();
    let begun = world.client().post(&path, login).await.unwrap().expect(200).unwrap();
    let otp = world.client().mailed_code(&world.stack.mailbox_url, &anna.email, &seen).await.unwrap();
    let challenge = begun.text_at("/data/challenge_id").unwrap();
    let wrong = if otp == "000000" { "000001" } else { "000000" };
    for proof in [wrong, wrong, wrong, wrong, wrong, &otp] {
        let body = json!({ "challenge_id": challenge, "otp": proof });
        let refused = world.client().post(&format!("{path}verify-otp/"), body).await.unwrap();
        assert_eq!((refused.status, refused.at("/code")), (400, &json!("otp_invalid")));
    }
    world.stop().await;
}
