//! Users are deleted, by themselves or by administrators, and restored.

use devstack::world::{PASSWORD, Tenant};
use devstack::{Person, World};
use serde_json::{Value, json};
use testkit::eventually;

/// Makes a playlist and a song request.
async fn make_content(person: &Person, name: &str) {
    person.create("/playlists/", json!({ "name": name })).await;
    person.create("/song-requests/", json!({ "song_title": name, "artist_name": "A" })).await;
}

/// The names of the person's playlists and of the songs requested, sorted.
async fn content(person: &Person) -> Vec<String> {
    let mut names = Vec::new();
    for (path, field) in [("/playlists/", "name"), ("/song-requests/", "song_title")] {
        let page = person.client.get(path).await.unwrap().expect(200).unwrap();
        let rows = page.at("/data").as_array().cloned().unwrap();
        names.extend(rows.iter().map(|row| format!("{path}{}", row[field].as_str().unwrap_or_default())));
    }
    names.sort();
    names
}

/// Waits until the administrator sees no request of a user.
async fn hidden(admin: &Person, user: &str) {
    eventually("what the user made is hidden", || async {
        let found = admin.client.get(&format!("/song-requests/?user_id={user}")).await.unwrap();
        (found.at("/count") == &json!(0)).then_some(())
    })
    .await;
}

async fn register_again(world: &World, tenant: &Tenant, email: &str, password: &str) {
    let seen = world.stack.mailbox.find(|mail| mail.to.contains(&email.to_owned()));
    let codes: Vec<String> = seen.iter().filter_map(sandbox::mailbox::Mail::code).collect();
    let new = json!({ "username": "anna", "email": email, "password": password, "confirm_password": password });
    let path = format!("/tenant/{}/auth/", tenant.slug);
    let made = world.client().post(&format!("{path}register/"), new).await.unwrap().expect(201).unwrap();
    let otp = world.client().mailed_code(&world.stack.mailbox_url, email, &codes).await.unwrap();
    let proof = json!({ "challenge_id": made.text_at("/data/challenge_id").unwrap(), "otp": otp });
    world.client().post(&format!("{path}verify-email/"), proof).await.unwrap().expect(200).unwrap();
}

#[tokio::test]
async fn se_06_an_admin_deletes_a_listener_who_is_out_at_once_and_comes_back_with_everything() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let (admin, anna) = (world.admin(&own).await, world.listener(&own, "anna").await);
    make_content(&anna, "Mine").await;
    let before = content(&anna).await;
    assert_eq!(admin.client.delete(&format!("/users/{}/", anna.id)).await.unwrap().status, 204);
    eventually("out", || async { (anna.client.get("/users/me/").await.unwrap().status == 401).then_some(()) }).await;
    hidden(&admin, &anna.id).await;
    assert_eq!(admin.client.get(&format!("/users/{}/", anna.id)).await.unwrap().status, 404);
    let path = format!("/tenant/{}/auth/login/", own.slug);
    let gone = world.client().post(&path, json!({ "email": anna.email, "password": PASSWORD })).await.unwrap();
    assert_eq!((gone.status, gone.at("/code")), (401, &json!("invalid_credentials")));
    let deleted = admin.client.get("/users/deleted/?deletion_type=admin").await.unwrap().expect(200).unwrap();
    assert_eq!(deleted.at("/count"), &json!(1), "{}", deleted.text);
    assert_eq!(deleted.at("/data/0/deleted_by_username"), &json!("admin"));
    for (kind, count) in [("self", 0), ("super%20admin", 0), ("super_admin", 0)] {
        let found = admin.client.get(&format!("/users/deleted/?deletion_type={kind}")).await.unwrap();
        assert_eq!(found.at("/count"), &json!(count), "{kind}");
    }
    let back = json!({ "restore_data": "yes" });
    let restore = format!("/users/{}/restore/", anna.id);
    assert_eq!(admin.client.post(&restore, back).await.unwrap().status, 400, "a strict boolean");
    admin.client.post(&restore, json!({ "restore_data": true })).await.unwrap().expect(200).unwrap();
    assert_eq!(admin.client.post(&restore, json!({})).await.unwrap().status, 404, "it is live");
    // SE-06: no session and no token came back.
    assert_eq!(anna.client.get("/users/me/").await.unwrap().status, 401);
    let refused = world.client().post("/token/refresh/", json!({ "refresh": anna.refresh })).await.unwrap();
    assert_eq!(refused.status, 401);
    let anna = world.sign_in(&own.slug, &anna.email).await;
    eventually("everything is back", || async { (content(&anna).await == before).then_some(()) }).await;
    world.stop().await;
}

#[tokio::test]
async fn se_07_who_deletes_the_own_account_registers_again_and_gets_the_account_but_nothing_that_was_in_it() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let (admin, anna) = (world.admin(&own).await, world.listener(&own, "anna").await);
    make_content(&anna, "Old").await;
    assert_eq!(anna.client.delete("/users/me/").await.unwrap().status, 204);
    hidden(&admin, &anna.id).await;
    let new = "staple battery horse";
    register_again(&world, &own, &anna.email, new).await;
    let root = format!("/tenant/{}/auth", own.slug);
    let mailbox = &world.stack.mailbox_url;
    assert!(world.client().sign_in(&root, mailbox, &anna.email, PASSWORD).await.is_err(), "the old password is dead");
    let again = world.client().sign_in(&root, mailbox, &anna.email, new).await.unwrap();
    assert_eq!(again.id, anna.id, "the same account");
    assert_eq!(content(&again).await, Vec::<String>::new());
    // An administrator who deletes and restores it with its data brings back only what the administrator took away.
    make_content(&again, "New").await;
    assert_eq!(admin.client.delete(&format!("/users/{}/delete/", anna.id)).await.unwrap().status, 204);
    hidden(&admin, &anna.id).await;
    let path = format!("/users/{}/restore/", anna.id);
    admin.client.post(&path, json!({ "restore_data": true })).await.unwrap().expect(200).unwrap();
    let back = world.client().sign_in(&root, mailbox, &anna.email, new).await.unwrap();
    eventually("the new content is back", || async {
        (content(&back).await == ["/playlists/New", "/song-requests/New"]).then_some(())
    })
    .await;
    world.stop().await;
}

#[tokio::test]
async fn a_self_deleted_user_whom_an_admin_restores_proves_the_address_again() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let (admin, anna) = (world.admin(&own).await, world.listener(&own, "anna").await);
    anna.client.delete("/users/me/").await.unwrap().expect(204).unwrap();
    let path = format!("/users/{}/restore/", anna.id);
    let restored = admin.client.post(&path, json!({})).await.unwrap().expect(200).unwrap();
    assert_eq!(restored.at("/data/is_verified"), &json!(false));
    let login = json!({ "email": anna.email, "password": PASSWORD });
    let refused = world.client().post(&format!("/tenant/{}/auth/login/", own.slug), login).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (403, &json!("email_not_verified")));
    world.stop().await;
}

#[tokio::test]
async fn en_02_a_user_deleted_by_an_admin_cannot_register_again_and_a_taken_name_is_not_given_back() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let (admin, anna) = (world.admin(&own).await, world.listener(&own, "anna").await);
    admin.client.delete(&format!("/users/{}/", anna.id)).await.unwrap().expect(204).unwrap();
    let root = format!("/tenant/{}/auth/", own.slug);
    let new = json!({ "username": "anna2", "email": anna.email, "password": PASSWORD, "confirm_password": PASSWORD });
    let codes: Vec<String> = world
        .stack
        .mailbox
        .find(|mail| mail.to.contains(&anna.email))
        .iter()
        .filter_map(sandbox::mailbox::Mail::code)
        .collect();
    let made = world.client().post(&format!("{root}register/"), new).await.unwrap().expect(201).unwrap();
    let otp = world.client().mailed_code(&world.stack.mailbox_url, &anna.email, &codes).await.unwrap();
    let proof = json!({ "challenge_id": made.text_at("/data/challenge_id").unwrap(), "otp": otp });
    let told = world.client().post(&format!("{root}verify-email/"), proof).await.unwrap();
    assert_eq!(
        (told.status, told.at("/code")),
        (403, &json!("account_deleted_by_admin")),
        "EN-02: only after the code"
    );
    // Somebody else takes the username.
    let other = json!({ "username": "anna", "email": "other@alpha.example", "password": PASSWORD });
    admin.create("/users/", other).await;
    let refused = admin.client.post(&format!("/users/{}/restore/", anna.id), json!({})).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (409, &json!("username_taken")));
    let counted = admin.client.get(&format!("/tenants/{}/", own.id)).await.unwrap();
    assert_eq!(counted.at("/data/user_count"), &json!(2), "a refused restoration counts nobody");
    world.stop().await;
}

#[tokio::test]
async fn fault_29_a_user_is_deleted_while_songlist_service_is_down_and_the_content_is_hidden_when_it_is_back() {
    let mut world = World::start().await;
    let own = world.tenant("Alpha").await;
    let (admin, anna) = (world.admin(&own).await, world.listener(&own, "anna").await);
    make_content(&anna, "Mine").await;
    world.stack.kill(devstack::Service::Songlist);
    assert_eq!(admin.client.delete(&format!("/users/{}/", anna.id)).await.unwrap().status, 204);
    eventually("out", || async { (anna.client.get("/users/me/").await.unwrap().status == 401).then_some(()) }).await;
    world.stack.restart(devstack::Service::Songlist).await.unwrap();
    hidden(&admin, &anna.id).await;
    world.stop().await;
}

#[tokio::test]
async fn fault_33_two_admins_delete_and_restore_a_user_at_once_and_each_change_is_audited() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let (admin, anna) = (world.admin(&own).await, world.listener(&own, "anna").await);
    let second = world.sign_in(&own.slug, &admin.email).await;
    let (delete, restore) = (format!("/users/{}/", anna.id), format!("/users/{}/restore/", anna.id));
    let mut deleted = 0;
    let mut restored = 0;
    for _ in 0..6 {
        let (one, other, third) = tokio::join!(
            admin.client.delete(&delete),
            second.client.delete(&delete),
            second.client.post(&restore, json!({ "restore_data": true }))
        );
        let (one, other, third) = (one.unwrap(), other.unwrap(), third.unwrap());
        assert!([204, 404].contains(&one.status) && [204, 404].contains(&other.status), "{} {}", one.text, other.text);
        assert!([200, 404].contains(&third.status), "{}", third.text);
        deleted += u64::from(one.status == 204) + u64::from(other.status == 204);
        restored += u64::from(third.status == 200);
    }
    let audited = async |action: &str| {
        let found = admin.client.get(&format!("/audit/?action={action}")).await.unwrap().expect(200).unwrap();
        found.at("/count").as_u64().unwrap()
    };
    assert_eq!((audited("user_delete").await, audited("user_restore").await), (deleted, restored));
    let is_live = admin.client.get(&delete).await.unwrap().status == 200;
    assert_eq!(deleted - restored, u64::from(!is_live));
    let counted = admin.client.get(&format!("/tenants/{}/", own.id)).await.unwrap();
    assert_eq!(counted.at("/data/user_count"), &json!(1 + u64::from(is_live)));
    world.stop().await;
}

#[tokio::test]
async fn a_super_admin_deletes_and_restores_an_admin() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let admin = world.admin(&own).await;
    let root = &world.root.client;
    root.delete(&format!("/users/{}/", admin.id)).await.unwrap().expect(204).unwrap();
    eventually("out", || async { (admin.client.get("/users/me/").await.unwrap().status == 401).then_some(()) }).await;
    let deleted = root.get("/users/deleted/").await.unwrap().expect(200).unwrap();
    let told: [&Value; 3] = [
        deleted.at("/data/0/deletion_type"),
        deleted.at("/data/0/deleted_by_username"),
        deleted.at("/data/0/tenant_name"),
    ];
    assert_eq!(told, [&json!("super_admin"), &json!("root"), &json!("Alpha")], "{}", deleted.text);
    root.post(&format!("/users/{}/restore/", admin.id), json!({})).await.unwrap().expect(200).unwrap();
    world.sign_in(&own.slug, &admin.email).await;
    world.stop().await;
}
