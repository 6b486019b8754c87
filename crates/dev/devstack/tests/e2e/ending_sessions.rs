//! A person sees the own sessions and ends them; administrators end those of others.

use devstack::{Person, World};
use serde_json::json;

async fn is_out(person: &Person) {
    testkit::eventually("the session ended", || async {
        (person.client.get("/users/me/").await.unwrap().status == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn se_01_and_se_02_a_user_lists_the_own_sessions_and_ends_one_or_all_others() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let phone = world.listener(&own, "anna").await;
    let laptop = world.sign_in(&own.slug, &phone.email).await;
    let tablet = world.sign_in(&own.slug, &phone.email).await;
    let neighbour = world.listener(&own, "bert").await;
    let listed = laptop.client.get("/users/me/sessions/").await.unwrap().expect(200).unwrap();
    let sessions = listed.at("/data").as_array().cloned().unwrap();
    assert_eq!(sessions.len(), 3, "each sign-in has a session of its own");
    assert_eq!(sessions.iter().filter(|session| session["is_current"] == json!(true)).count(), 1);
    assert_eq!(sessions[0]["network"], json!("127.0.0.0/24"), "a place, not an address");
    let of_phone = phone.client.get("/users/me/sessions/").await.unwrap();
    let rows = of_phone.at("/data").as_array().cloned().unwrap();
    let current = rows.iter().find(|session| session["is_current"] == json!(true)).unwrap();
    let path = format!("/users/me/sessions/{}/", current["id"].as_str().unwrap());
    assert_eq!(neighbour.client.delete(&path).await.unwrap().status, 404);
    assert_eq!(laptop.client.delete(&path).await.unwrap().status, 204);
    is_out(&phone).await;
    assert_eq!(laptop.client.delete(&path).await.unwrap().status, 404, "it is gone");
    assert_eq!(tablet.client.get("/users/me/").await.unwrap().status, 200);
    assert_eq!(laptop.client.delete("/users/me/sessions/").await.unwrap().status, 204);
    is_out(&tablet).await;
    let refused = world.client().post("/token/refresh/", json!({ "refresh": tablet.refresh })).await.unwrap();
    assert_eq!(refused.status, 401);
    assert_eq!(laptop.client.get("/users/me/").await.unwrap().status, 200, "the one that asked goes on");
    assert_eq!(neighbour.client.get("/users/me/").await.unwrap().status, 200);
    world.stop().await;
}

#[tokio::test]
async fn se_01_an_admin_ends_the_sessions_of_a_listener_and_a_super_admin_those_of_an_admin() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let admin = world.admin(&own).await;
    let anna = world.listener(&own, "anna").await;
    assert_eq!(admin.client.delete(&format!("/users/{}/sessions/", anna.id)).await.unwrap().status, 204);
    is_out(&anna).await;
    world.sign_in(&own.slug, &anna.email).await;
    let path = format!("/users/{}/sessions/", admin.id);
    assert_eq!(world.root.client.delete(&path).await.unwrap().status, 204);
    is_out(&admin).await;
    world.stop().await;
}
