//! An ADMIN manages the users of a tenant.

use devstack::World;
use serde_json::json;

#[tokio::test]
async fn an_admin_creates_users_in_the_own_tenant_only() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let admin = world.admin(&own).await;
    let other = world.tenant("Beta").await;
    let new = |tenant: &str| json!({ "username": "anna", "email": "anna@example.com", "tenant_id": tenant });
    let refused = admin.client.post("/users/", new(&other.id)).await.unwrap();
    assert_eq!((refused.status, refused.at("/code")), (400, &json!("read_only_field")), "{}", refused.text);
    let made = admin.client.post("/users/", new(&own.id)).await.unwrap().expect(201).unwrap();
    assert_eq!(made.at("/data/tenant_id"), &json!(own.id));
    world.stop().await;
}
