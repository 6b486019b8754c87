//! An ADMIN pays for premium.

use devstack::World;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_repeated_request_for_a_payment_link_gets_its_first_answer() {
    let world = World::start().await;
    let tenant = world.tenant("Alpha").await;
    let admin = world.admin(&tenant).await;
    let ask = |key: &'static str| {
        let request = admin.client.request(Method::POST, "/payments/create-payment-link/");
        admin.client.send(request.header("idempotency-key", key).json(&json!({})))
    };
    let (first, again, other) = (ask("one").await.unwrap(), ask("one").await.unwrap(), ask("two").await.unwrap());
    assert_eq!((first.status, again.status, other.status), (201, 201, 200), "{}", other.text);
    assert_eq!(first.body, again.body);
    assert_eq!(again.headers.get("idempotency-replayed").unwrap(), "true");
    assert!(!first.headers.contains_key("idempotency-replayed"));
    assert_eq!(first.at("/data/payment_link_id"), other.at("/data/payment_link_id"), "one open link per tenant");
    world.stop().await;
}
