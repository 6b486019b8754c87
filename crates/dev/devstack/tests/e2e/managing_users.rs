//! Administrators manage users: ADMINs the LISTENERs of a tenant, SUPER_ADMINs the ADMINs.

use devstack::world::PASSWORD;
use devstack::{Person, Reply, World};
use reqwest::Method;
use serde_json::{Value, json};

/// Sends a request with `If-Match`.
async fn if_match(person: &Person, method: Method, path: &str, etag: &str, body: Value) -> Reply {
    let request = person.client.request(method, path).header("if-match", etag).json(&body);
    person.client.send(request).await.unwrap()
}

/// The usernames on a page.
fn usernames(page: &Reply) -> Vec<String> {
    let rows = page.at("/data").as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| row["username"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn an_admin_lists_the_users_of_the_own_tenant_by_name_email_role_and_state() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let admin = world.admin(&own).await;
    for (username, first, email) in [("zoe", "Zoë", "zoe@one.example"), ("ravi", "रवि", "ravi@two.example")] {
        let new = json!({ "username": username, "first_name": first, "email": email, "password": PASSWORD });
        admin.create("/users/", new).await;
    }
    world.listener(&world.tenant("Beta").await, "foreign").await;
    let found = async |query: &str| {
        usernames(&admin.client.get(&format!("/users/{query}")).await.unwrap().expect(200).unwrap())
    };
    assert_eq!(found("").await, ["ravi", "zoe", "admin"], "the newest first, no user of another tenant");
    assert_eq!(found("?name=zoe").await, ["zoe"], "without accents");
    assert_eq!(found("?name=%E0%A4%B0%E0%A4%B5%E0%A4%BF").await, ["ravi"]);
    assert_eq!(found("?email=two.ex&email=one.ex").await, ["ravi", "zoe"]);
    assert_eq!(found("?role=ADMIN").await, ["admin"]);
    assert_eq!(found("?is_active=false").await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test]
async fn tn_05_a_super_admin_is_told_numbers_of_users_and_the_admins_and_nothing_of_listeners() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let admin = world.admin(&own).await;
    let anna = world.listener(&own, "anna").await;
    let root = &world.root.client;
    let counts = root.get("/users/").await.unwrap().expect(200).unwrap();
    assert_eq!(counts.at("/data/total_users"), &json!(2), "{}", counts.text);
    assert_eq!(counts.at("/data/per_tenant/0/users"), &json!(2));
    assert!(!counts.text.contains("anna") && !counts.text.contains("@"), "{}", counts.text);
    let refused = root.get("/users/?name=anna").await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (400, &json!("unknown_parameter")));
    let admins = root.get("/super-admin/admins/").await.unwrap().expect(200).unwrap();
    assert_eq!(usernames(&admins), ["admin"]);
    assert_eq!(
        (admins.at("/data/0/tenant_is_active"), admins.at("/data/0/tenant_name")),
        (&json!(true), &json!("Alpha"))
    );
    let none = root.get(&format!("/super-admin/admins/?tenant_id={},no-id", anna.id)).await.unwrap();
    assert_eq!(none.at("/count"), &json!(0));
    let one = root.get(&format!("/super-admin/admins/?tenant_id={}", own.id)).await.unwrap();
    assert_eq!(one.at("/count"), &json!(1));
    for path in [format!("/users/{}/", anna.id), format!("/users/{}/sessions/", anna.id)] {
        let answer = root.send(root.request(Method::DELETE, &path)).await.unwrap();
        assert_eq!(answer.status, 404, "{path}");
    }
    assert_eq!(root.get(&format!("/users/{}/", admin.id)).await.unwrap().status, 200);
    world.stop().await;
}

#[tokio::test]
async fn tn_05_and_tn_06_no_body_changes_role_tenant_or_state_and_no_admin_touches_an_admin() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let admin = world.admin(&own).await;
    let new = json!({ "username": "second", "email": "second@alpha.example", "tenant_id": own.id });
    let colleague = world.root.create("/users/", new).await;
    let anna = world.listener(&own, "anna").await;
    let fields = [
        ("id", json!(kit::ids::random())),
        ("role", json!("ADMIN")),
        ("tenant_id", json!(kit::ids::random())),
        ("tenant_name", json!("Beta")),
        ("email", json!("other@example.com")),
        ("is_verified", json!(false)),
        ("is_active", json!(false)),
        ("totp_enabled", json!(true)),
        ("date_joined", json!("2020-01-01T00:00:00Z")),
    ];
    for (name, value) in fields {
        let refused = anna.client.patch("/users/me/", json!({ name: value, "first_name": "X" })).await.unwrap();
        assert_eq!((refused.status, refused.at("/code")), (400, &json!("read_only_field")), "{name}: {}", refused.text);
        if name != "is_active" {
            let path = format!("/users/{}/", anna.id);
            let refused = admin.client.patch(&path, json!({ name: value })).await.unwrap();
            assert_eq!((refused.status, refused.at("/code")), (400, &json!("read_only_field")), "{name}");
        }
    }
    let me = anna.client.get("/users/me/").await.unwrap().expect(200).unwrap();
    assert_eq!(me.at("/data/first_name"), &json!(""), "a refused change changes nothing");
    // What was got may be sent back.
    let mut whole = me.at("/data").clone();
    whole["first_name"] = json!("Anna");
    let changed = anna.client.patch("/users/me/", whole).await.unwrap().expect(200).unwrap();
    assert_eq!(changed.at("/data/first_name"), &json!("Anna"));
    let unnamed = anna.client.patch("/users/me/", json!({ "first_name": null })).await.unwrap();
    assert_eq!((unnamed.status, unnamed.at("/errors/first_name/0")), (400, &json!("May not be null.")));
    let taken = anna.client.patch("/users/me/", json!({ "username": "ADMIN" })).await.unwrap();
    assert_eq!((taken.status, taken.at("/code")), (409, &json!("username_taken")));
    for path in
        [format!("/users/{colleague}/"), format!("/users/{colleague}/sessions/"), format!("/users/{colleague}/totp/")]
    {
        let refused = admin.client.delete(&path).await.unwrap();
        assert_eq!((refused.status, refused.at("/code")), (403, &json!("permission_denied")), "{path}");
    }
    let refused = admin.client.patch(&format!("/users/{colleague}/"), json!({ "is_active": false })).await.unwrap();
    assert_eq!(refused.status, 403);
    for path in ["/users/me/".to_owned(), format!("/users/{}/", admin.id), format!("/users/{}/delete/", admin.id)] {
        let refused = admin.client.delete(&path).await.unwrap();
        assert!(matches!(refused.status, 400 | 403), "{path}: {}", refused.text);
    }
    assert_eq!(admin.client.get("/users/me/").await.unwrap().status, 200, "nobody was deleted");
    world.stop().await;
}

#[tokio::test]
async fn a_change_under_if_match_is_made_to_that_version_only() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let admin = world.admin(&own).await;
    let anna = world.listener(&own, "anna").await;
    let path = format!("/users/{}/", anna.id);
    let read = admin.client.get(&path).await.unwrap().expect(200).unwrap();
    let etag = read.headers.get("etag").unwrap().to_str().unwrap().to_owned();
    let first = if_match(&admin, Method::PATCH, &path, &etag, json!({ "last_name": "One" })).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let second = if_match(&admin, Method::PATCH, &path, &etag, json!({ "last_name": "Two" })).await;
    assert_eq!((second.status, second.at("/code")), (412, &json!("precondition_failed")));
    let newest = first.headers.get("etag").unwrap().to_str().unwrap().to_owned();
    for bad in [etag.as_str(), "rubbish", "\"x\""] {
        assert_eq!(if_match(&admin, Method::DELETE, &path, bad, json!({})).await.status, 412, "{bad}");
    }
    assert_eq!(if_match(&admin, Method::PATCH, &path, &format!("W/{newest}"), json!({})).await.status, 200);
    let tenant = format!("/tenants/{}/", own.id);
    let read = world.root.client.get(&tenant).await.unwrap().expect(200).unwrap();
    let etag = read.headers.get("etag").unwrap().to_str().unwrap().to_owned();
    assert_eq!(if_match(&world.root, Method::PATCH, &tenant, &etag, json!({ "name": "New" })).await.status, 200);
    assert_eq!(if_match(&world.root, Method::PATCH, &tenant, &etag, json!({ "name": "Newer" })).await.status, 412);
    world.stop().await;
}

#[tokio::test]
async fn tk_12_and_tk_15_and_cve_2023_22492_a_deactivated_user_is_signed_out_at_once_and_comes_back_when_activated() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let admin = world.admin(&own).await;
    let anna = world.listener(&own, "anna").await;
    let path = format!("/users/{}/", anna.id);
    let login = json!({ "email": anna.email, "password": PASSWORD });
    let root = format!("/tenant/{}/auth/login/", own.slug);
    let begun = world.client().post(&root, login.clone()).await.unwrap().expect(200).unwrap();
    admin.client.patch(&path, json!({ "is_active": false })).await.unwrap().expect(200).unwrap();
    testkit::eventually("access is refused", || async {
        (anna.client.get("/users/me/").await.unwrap().status == 401).then_some(())
    })
    .await;
    let client = world.client();
    let refused = client.post("/token/refresh/", json!({ "refresh": anna.refresh })).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (401, &json!("token_not_valid")));
    let refused = client.post(&root, login.clone()).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (403, &json!("account_inactive")), "after the right password");
    // A sign-in that had begun before does not end now.
    let otp = client.mailed_code(&world.stack.mailbox_url, &anna.email, &[]).await.unwrap();
    let proof = json!({ "challenge_id": begun.text_at("/data/challenge_id").unwrap(), "otp": otp });
    assert_eq!(client.post(&format!("{root}verify-otp/"), proof).await.unwrap().status, 400);
    admin.client.patch(&path, json!({ "is_active": true })).await.unwrap().expect(200).unwrap();
    assert_eq!(anna.client.get("/users/me/").await.unwrap().status, 401, "old tokens stay dead");
    world.sign_in(&own.slug, &anna.email).await;
    world.stop().await;
}

#[tokio::test]
async fn pw_14_changing_the_password_needs_the_old_one_ends_every_session_and_is_told_by_mail() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let anna = world.listener(&own, "anna").await;
    let elsewhere = world.sign_in(&own.slug, &anna.email).await;
    let change = async |old: &str, new: &str| {
        let body = json!({ "old_password": old, "new_password": new });
        anna.client.post("/users/me/change-password/", body).await.unwrap()
    };
    let new = "staple battery horse";
    let wrong = change("wrong horse battery", new).await;
    assert_eq!((wrong.status, wrong.at("/errors/old_password/0")), (400, &json!("This is not your password.")));
    assert_eq!(change(PASSWORD, "12345678").await.status, 400);
    assert_eq!(change(PASSWORD, PASSWORD).await.status, 400);
    assert_eq!(anna.client.get("/users/me/").await.unwrap().status, 200, "nothing has changed");
    assert_eq!(change(PASSWORD, new).await.status, 200);
    for person in [&anna, &elsewhere] {
        testkit::eventually("the session ended", || async {
            (person.client.get("/users/me/").await.unwrap().status == 401).then_some(())
        })
        .await;
    }
    world.stack.mailbox.wait_for(&anna.email, "password was changed").await;
    let root = format!("/tenant/{}/auth", own.slug);
    let mailbox = &world.stack.mailbox_url;
    assert!(world.client().sign_in(&root, mailbox, &anna.email, PASSWORD).await.is_err());
    world.client().sign_in(&root, mailbox, &anna.email, new).await.unwrap();
    world.stop().await;
}
