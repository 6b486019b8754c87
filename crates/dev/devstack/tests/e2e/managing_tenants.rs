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
