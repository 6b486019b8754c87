//! A listener registers.

use devstack::World;
use devstack::world::PASSWORD;
use kit_pg::bootstrap::open;
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

#[tokio::test]
async fn sf_08_a_stranger_neither_uses_up_a_persons_codes_nor_makes_the_account_his_own() {
    let world = World::start().await;
    let tenant = world.tenant("Blue Note").await;
    let (client, mailbox) = (world.client(), &world.stack.mailbox_url);
    let root = format!("/tenant/{}/auth", tenant.slug);
    let email = "bob@example.com";
    let register = async |name: &str| {
        let new = json!({ "username": name, "email": email, "password": PASSWORD, "confirm_password": PASSWORD });
        client.post(&format!("{root}/register/"), new).await.unwrap().expect(201).unwrap()
    };
    let own = register("bob").await.text_at("/data/challenge_id").unwrap();
    let otp = client.mailed_code(mailbox, email, &[]).await.unwrap();
    // A stranger registers the same address three times and guesses at it without a handle.
    for name in ["mallory1", "mallory2", "mallory3"] {
        register(name).await;
    }
    for guess in 0..15 {
        let body = json!({ "email": email, "otp": format!("9999{guess:02}") });
        assert_eq!(client.post(&format!("{root}/verify-email/"), body).await.unwrap().status, 400);
    }
    let proof = json!({ "challenge_id": own, "otp": otp });
    client.post(&format!("{root}/verify-email/"), proof).await.unwrap().expect(200).unwrap();
    let bob = world.sign_in(&tenant.slug, email).await;
    let me = bob.client.get("/users/me/").await.unwrap();
    assert_eq!(me.at("/data/username"), "bob");
    world.stop().await;
}

#[tokio::test]
async fn sf_08_a_spent_challenge_is_replaced_by_one_whose_code_works() {
    let world = World::start().await;
    let tenant = world.tenant("Blue Note").await;
    let (client, mailbox) = (world.client(), &world.stack.mailbox_url);
    let root = format!("/tenant/{}/auth", tenant.slug);
    let new =
        json!({ "username": "bob", "email": "bob@example.com", "password": PASSWORD, "confirm_password": PASSWORD });
    let made = client.post(&format!("{root}/register/"), new).await.unwrap().expect(201).unwrap();
    let spent = made.text_at("/data/challenge_id").unwrap();
    let first = client.mailed_code(mailbox, "bob@example.com", &[]).await.unwrap();
    let wrong = if first == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        let body = json!({ "challenge_id": spent, "otp": wrong });
        assert_eq!(client.post(&format!("{root}/verify-email/"), body).await.unwrap().status, 400);
    }
    let resend = async |id: &str| {
        let sent = client.post(&format!("{root}/resend-verification/"), json!({ "challenge_id": id })).await.unwrap();
        sent.expect(200).unwrap()
    };
    let again = resend(&spent).await;
    let nothing = resend(&kit::ids::random().to_string()).await;
    assert_eq!(again.text.len(), nothing.text.len(), "the same shape whoever asks");
    let fresh = again.text_at("/data/challenge_id").unwrap();
    assert_ne!(fresh, spent);
    let second = client.mailed_code(mailbox, "bob@example.com", &[first]).await.unwrap();
    let proof = json!({ "challenge_id": fresh, "otp": second });
    client.post(&format!("{root}/verify-email/"), proof).await.unwrap().expect(200).unwrap();
    world.stop().await;
}

#[tokio::test]
async fn en_01_and_sf_13_a_known_and_an_unknown_address_pass_through_the_same_states() {
    let world = World::start().await;
    let tenant = world.tenant("Blue Note").await;
    let anna = world.listener(&tenant, "anna").await;
    let client = world.client();
    let root = format!("/tenant/{}/auth", tenant.slug);
    // What a stranger sees who registers an address, guesses five times and asks for the code again.
    let seen = async |name: &str, email: &str| {
        let new = json!({ "username": name, "email": email, "password": PASSWORD, "confirm_password": PASSWORD });
        let made = client.post(&format!("{root}/register/"), new).await.unwrap().expect(201).unwrap();
        let first = made.text_at("/data/challenge_id").unwrap();
        let resend = async || {
            let body = json!({ "challenge_id": first });
            let sent = client.post(&format!("{root}/resend-verification/"), body).await.unwrap().expect(200).unwrap();
            sent.text_at("/data/challenge_id").unwrap() == first
        };
        // The mail is sent, or would be, before the first guess counts.
        testkit::eventually("the relay has handled the message", || async {
            let sql = format!("SELECT 1 FROM challenges WHERE id = '{first}' AND expires_at IS NOT NULL");
            let database = open(world.stack.db.auth.admin_url()).await.unwrap();
            let path = format!("SET search_path = {}; SET app.scope = 'worker'", world.stack.db.auth.schema);
            database.batch_execute(&path).await.unwrap();
            (database.query(&sql, &[]).await.unwrap().len() == 1).then_some(())
        })
        .await;
        let before = resend().await;
        for _ in 0..5 {
            let body = json!({ "challenge_id": first, "otp": "000000" });
            assert_eq!(client.post(&format!("{root}/verify-email/"), body).await.unwrap().status, 400);
        }
        (before, resend().await)
    };
    let unknown = seen("bob", "bob@example.com").await;
    assert_eq!(unknown, (true, false), "the same challenge while it is open, a new one when it is spent");
    assert_eq!(seen("mallory", &anna.email).await, unknown);
    world.stop().await;
}

#[tokio::test]
async fn en_01_and_en_04_asking_for_another_code_costs_the_same_whether_an_account_exists_or_not() {
    let world = World::start_with_real_limits().await;
    let tenant = world.tenant("Blue Note").await;
    let anna = world.listener(&tenant, "anna").await;
    // What she used up for her own registration has come back.
    world.stack.clock.advance(std::time::Duration::from_secs(3_700));
    let root = format!("/tenant/{}/auth", tenant.slug);
    let mut answers = Vec::new();
    for (name, email) in [("mallory", anna.email.as_str()), ("trudy", "nobody@example.com")] {
        let new = json!({ "username": name, "email": email, "password": PASSWORD, "confirm_password": PASSWORD });
        let made = world.client().post(&format!("{root}/register/"), new).await.unwrap().expect(201).unwrap();
        let challenge = made.text_at("/data/challenge_id").unwrap();
        let mut statuses = Vec::new();
        for _ in 0..4 {
            let body = json!({ "challenge_id": challenge });
            let again = world.client().post(&format!("{root}/resend-verification/"), body).await.unwrap();
            let resend_in = again.at("/data/resend_in").as_i64().map(|seconds| (55..=60).contains(&seconds));
            let policy = again.headers.get("ratelimit-policy").map(|policy| policy.to_str().unwrap().to_owned());
            assert_eq!(
                again.status == 429,
                policy.is_some_and(|policy| policy.contains("\"verification\";q=3;w=3600")),
                "RL-03"
            );
            statuses.push((again.status, resend_in));
        }
        // What one act has used up does not show in the other.
        let reset = json!({ "email": email });
        let reset = world.client().post(&format!("{root}/password-reset/"), reset).await.unwrap();
        statuses.push((reset.status, None));
        answers.push(statuses);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].iter().map(|answer| answer.0).collect::<Vec<_>>(), [200, 200, 429, 429, 200]);
    world.stop().await;
}

#[tokio::test]
async fn another_mailbox_that_only_folds_to_the_same_text_does_not_get_an_account() {
    let world = World::start().await;
    let tenant = world.tenant("Blue Note").await;
    let root = format!("/tenant/{}/auth", tenant.slug);
    let register = async |name: &str, email: &str| {
        let new = json!({ "username": name, "email": email, "password": PASSWORD, "confirm_password": PASSWORD });
        world.client().post(&format!("{root}/register/"), new).await.unwrap().expect(201).unwrap()
    };
    register("anna", "a@strasse.example").await;
    world.verify(&tenant.slug, "a@strasse.example").await;
    let anna = world.sign_in(&tenant.slug, "a@strasse.example").await;
    anna.client.delete("/users/me/").await.unwrap().expect(204).unwrap();
    register("mallory", "a@straße.example").await;
    testkit::eventually("every mail is sent", || async {
        (testkit::schema::count(&world.stack.db.auth, "outbox WHERE state = 'pending'").await.unwrap() == 0)
            .then_some(())
    })
    .await;
    let to_mallory =
        world.stack.mailbox.find(|mail| mail.to.iter().any(|to| to.contains("straße") || to.contains("xn--")));
    assert!(to_mallory.is_empty(), "{} mails", to_mallory.len());
    world.stop().await;
}
