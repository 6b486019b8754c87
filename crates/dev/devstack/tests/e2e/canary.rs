//! What is secret is in no column of any database, in no value of Redis and in no metric. The logs of real processes are
//! looked through by the test of the command line.

use devstack::World;
use devstack::world::PASSWORD;
use serde_json::json;
use testkit::schema::dump;

/// Where a code stands by itself and not within a longer number or an id.
fn stands_in(text: &str, code: &str) -> bool {
    text.match_indices(code).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back()).unwrap_or(' ');
        let after = text.get(at + code.len()..).and_then(|text| text.chars().next()).unwrap_or(' ');
        !(before.is_ascii_alphanumeric() || before == '.' || after.is_ascii_alphanumeric())
    })
}

#[tokio::test]
async fn lg_02_and_ot_09_and_fault_39_no_database_and_no_value_of_redis_holds_a_password_code_or_token() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let listener = &own.listener;
    // A wrong password, a wrong code, a reset, a user with a password and an idempotency key: each leaves rows behind.
    let root = format!("/tenant/{}/auth", own.tenant.slug);
    let wrong = "never to be seen again";
    let login = json!({ "email": listener.email, "password": wrong });
    world.client().post(&format!("{root}/login/"), login).await.unwrap().expect(401).unwrap();
    world.client().post(&format!("{root}/password-reset/"), json!({ "email": listener.email })).await.unwrap();
    let invited = "a password of somebody invited";
    let new = json!({ "username": "carol", "email": "carol@alpha.example", "password": invited });
    let request = own.admin.client.request(reqwest::Method::POST, "/users/").header("idempotency-key", "canary");
    own.admin.client.send(request.json(&new)).await.unwrap().expect(201).unwrap();
    let access = listener.client.post("/token/refresh/", json!({ "refresh": listener.refresh })).await.unwrap();
    let mut secrets = vec![PASSWORD.to_owned(), wrong.to_owned(), invited.to_owned(), listener.refresh.clone()];
    secrets.extend([access.text_at("/access").unwrap(), access.text_at("/refresh").unwrap()]);
    // A part of a token serves as well as the whole.
    secrets.extend(secrets.clone().iter().filter_map(|token| token.rsplit_once('.').map(|(_, last)| last.to_owned())));
    let fingerprint = {
        let payload = serde_json::to_vec(&new).unwrap();
        let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
        for part in [b"POST".as_slice(), b"/api/v1/users", &payload] {
            hash.update(part);
            hash.update(b"\0");
        }
        hex::encode(hash.finish())
    };
    secrets.push(fingerprint);
    testkit::eventually("every mail is sent", || async {
        (testkit::schema::count(&world.stack.db.auth, "outbox WHERE state = 'pending'").await.unwrap() == 0)
            .then_some(())
    })
    .await;
    let codes: Vec<String> =
        world.stack.mailbox.find(|_| true).iter().filter_map(sandbox::mailbox::Mail::code).collect();
    assert!(codes.len() >= 4, "{} codes", codes.len());
    let db = &world.stack.db;
    let mut places = Vec::new();
    for db in [&db.auth, &db.songlist, &db.payments, &db.scheduler] {
        places.push((db.schema.clone(), dump(db).await.unwrap()));
    }
    let redis = testkit::redis_dump(&world.stack.redis).await.unwrap();
    // One key tells that Redis still has its data; it must not expire.
    let marker = format!("{}rev:generation", world.stack.redis.prefix);
    let forever = redis.iter().filter(|entry| !entry.expires && entry.key != marker);
    let forever: Vec<&str> = forever.map(|entry| entry.key.as_str()).collect();
    assert!(forever.is_empty(), "fault 39: keys that never expire: {forever:?}");
    assert!(!redis.is_empty());
    places.push(("Redis".to_owned(), redis.iter().map(|entry| format!("{} {}\n", entry.key, entry.value)).collect()));
    for (name, text) in &places {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{name} holds {secret}");
        }
        for code in &codes {
            assert!(!stands_in(text, code), "{name} holds the code {code}");
        }
    }
    let redis = &places.last().unwrap().1;
    assert!(!redis.contains('@') && !redis.contains(&listener.email), "RL-10: no key holds an address");
    world.stop().await;
}
