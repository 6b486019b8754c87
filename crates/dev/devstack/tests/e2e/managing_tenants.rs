//! A SUPER_ADMIN changes and deletes tenants.

use devstack::World;
use serde_json::json;

#[tokio::test]
async fn a_tenant_is_renamed_keeps_names_and_slugs_apart_and_is_deleted_when_it_has_no_user() {
    let world = World::start().await;
    let root = &world.root.client;
    let (alpha, beta) = (world.tenant("Alpha").await, world.tenant("Beta").await);
    let path = format!("/tenants/{}/", alpha.id);
    let renamed = root.patch(&path, json!({ "name": "Gamma", "slug": "gamma" })).await.unwrap().expect(200).unwrap();
    assert_eq!((renamed.at("/data/name"), renamed.at("/data/slug")), (&json!("Gamma"), &json!("gamma")));
    for (body, code) in [
        (json!({ "name": "bETA" }), "tenant_exists"),
        (json!({ "slug": "beta" }), "slug_taken"),
        (json!({ "slug": "api" }), "validation_error"),
        (json!({ "user_count": 7 }), "read_only_field"),
        (json!({ "is_premium": true }), "read_only_field"),
    ] {
        let refused = root.patch(&path, body.clone()).await.unwrap();
        assert_eq!(refused.at("/code"), &json!(code), "{body}");
    }
    let admin = world.admin(&world_tenant(&world, &alpha.id).await).await;
    let refused = root.delete(&path).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (409, &json!("tenant_has_users")));
    root.delete(&format!("/users/{}/", admin.id)).await.unwrap().expect(204).unwrap();
    root.delete(&path).await.unwrap().expect(204).unwrap();
    assert_eq!(root.get(&path).await.unwrap().status, 404);
    assert_eq!(root.delete(&path).await.unwrap().status, 404);
    let live = root.get("/tenants/").await.unwrap();
    assert_eq!((live.at("/count"), live.at("/data/0/id")), (&json!(1), &json!(beta.id)));
    let all = root.get("/tenants/?include_deleted=true").await.unwrap();
    assert_eq!(all.at("/count"), &json!(2));
    assert!(all.at("/data/1/deleted_at").is_string() && all.at("/data/0/deleted_at").is_null());
    let stranger = world.client().post("/tenant/gamma/auth/login/", json!({})).await.unwrap();
    assert_eq!(stranger.at("/code"), &json!("tenant_not_found"));
    world.stop().await;
}

async fn world_tenant(world: &World, id: &str) -> devstack::world::Tenant {
    let read = world.root.client.get(&format!("/tenants/{id}/")).await.unwrap();
    devstack::world::Tenant { id: id.to_owned(), slug: read.text_at("/data/slug").unwrap() }
}

#[tokio::test]
async fn names_are_found_without_case_and_accents() {
    let world = World::start().await;
    let root = &world.root.client;
    let (cafe, _) = (world.tenant("Café Nóir").await, world.tenant("Blue Note").await);
    for name in ["CAFE", "café", "noir", "n%C3%B3ir"] {
        let found = root.get(&format!("/tenants/?name={name}")).await.unwrap().expect(200).unwrap();
        assert_eq!((found.at("/count"), found.at("/data/0/id")), (&json!(1), &json!(cafe.id)), "{name}");
    }
    // Names that an older version wrote have no search form yet; the job makes it.
    let admin = world.admin(&cafe).await;
    let anna = world.listener(&cafe, "anna").await;
    anna.client.patch("/users/me/", json!({ "first_name": "Ánná-김" })).await.unwrap().expect(200).unwrap();
    let superuser = kit_pg::bootstrap::open(world.stack.db.auth.admin_url()).await.unwrap();
    let forget = format!("UPDATE {}.users SET name_norm = ''", world.stack.db.auth.schema);
    superuser.execute(&forget, &[]).await.unwrap();
    let search =
        async |name: &str| admin.client.get(&format!("/users/?name={name}")).await.unwrap().expect(200).unwrap();
    assert_eq!(search("anna-").await.at("/count"), &json!(0));
    let scheduler = kit_pg::bootstrap::open(world.stack.db.scheduler.admin_url()).await.unwrap();
    let due = format!("UPDATE {}.jobs SET next_run_at = now()", world.stack.db.scheduler.schema);
    scheduler.execute(&due, &[]).await.unwrap();
    testkit::eventually("the names are filled", || async {
        let missing = testkit::schema::count(&world.stack.db.auth, "users WHERE name_norm = ''").await.unwrap();
        (missing == 0).then_some(())
    })
    .await;
    for name in ["anna-", "%EA%B9%80"] {
        assert_eq!(search(name).await.at("/data/0/id"), &json!(anna.id), "{name}");
    }
    world.stop().await;
}
