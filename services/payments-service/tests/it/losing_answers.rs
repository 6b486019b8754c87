//! Razorpay's answers get lost, come late, or are about a link that is of no use.

use kit::ids::TenantId;
use proto::payments::PaymentStatus;
use serde_json::json;
use testkit::caller::admin;

use crate::service::Payments;

#[tokio::test]
async fn case_43_and_case_47_a_link_whose_answer_was_lost_is_found_again() {
    let payments = Payments::start().await;
    for status in [500, 502, 504] {
        let boss = admin(TenantId::new());
        let lost = json!({ "failures": [{ "status": status, "commit": true, "path": "POST /v1/payment_links" }] });
        payments.razorpay("/sandbox/chaos", lost).await;
        let refused = payments.try_create_link(&boss).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::Unavailable, "{refused}");
        let payment = payments.create_link(&boss).await.0.payment.unwrap();
        assert_eq!(payment.status(), PaymentStatus::Pending);
        let truth = payments.truth().await;
        let links = truth["links"].as_array().unwrap();
        assert_eq!(links.iter().filter(|link| link["reference_id"] == reference(&payment).as_str()).count(), 1);
    }
    assert_eq!(payments.truth().await["links"].as_array().unwrap().len(), 3, "one for each tenant");
}

fn reference(payment: &proto::payments::Payment) -> String {
    format!("sl-{}", payment.id.replace('-', ""))
}

#[tokio::test]
async fn a_link_that_was_given_up_and_is_paid_all_the_same_is_found_by_its_reference() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    // Neither the creation nor the questions about it are answered until the link counts as never made.
    let lost = json!({ "failures": [{ "status": 504, "commit": true, "path": "POST /v1/payment_links" }] });
    payments.razorpay("/sandbox/chaos", lost).await;
    payments.try_create_link(&boss).await.unwrap_err();
    payments.razorpay("/sandbox/chaos", json!({ "hide_links": true })).await;
    payments.poll_later(11).await;
    assert_eq!(payments.count("payments WHERE status = 'FAILED'").await, 1);
    payments.razorpay("/sandbox/chaos", json!({ "hide_links": false })).await;
    let truth = payments.truth().await;
    let url = truth["links"][0]["short_url"].as_str().unwrap().to_owned();
    payments.pay(&proto::payments::Payment { payment_link_url: url, ..Default::default() }, "success").await;
    testkit::eventually("the money is found", || async {
        payments.poll_later(10).await;
        payments.is_premium(&boss).await.then_some(())
    })
    .await;
    payments.check_books().await;
}

#[tokio::test]
async fn case_45_a_link_that_was_cancelled_is_not_taken_and_another_one_is_made() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    let lost = json!({ "failures": [{ "status": 504, "commit": true, "path": "POST /v1/payment_links" }] });
    payments.razorpay("/sandbox/chaos", lost).await;
    payments.try_create_link(&boss).await.unwrap_err();
    let first = payments.truth().await["links"][0]["id"].as_str().unwrap().to_owned();
    payments.razorpay(&format!("/sandbox/links/{first}/cancel"), json!({})).await;
    let payment = payments.create_link(&boss).await.0.payment.unwrap();
    assert_eq!(payment.status(), PaymentStatus::Pending);
    assert_ne!(payment.razorpay_payment_link_id, first);
    assert_eq!(payments.count("payments WHERE status = 'FAILED'").await, 1);
}

#[tokio::test]
async fn case_51_and_case_62_a_link_that_expired_here_and_is_paid_there_gives_premium() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    let payment = payments.create_link(&boss).await.0.payment.unwrap();
    payments.drop_webhooks().await;
    payments.pay(&payment, "success").await;
    payments.clock.advance(std::time::Duration::from_secs(3_600));
    // The request for another link asks first what became of this one.
    let refused = payments.try_create_link(&boss).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::AlreadyExists, "{refused}");
    assert_eq!(payments.get(&boss, &payment.id).await.status(), PaymentStatus::Activated);
    assert!(payments.is_premium(&boss).await);
}

#[tokio::test]
async fn case_63_premium_is_for_a_lifetime_so_a_premium_tenant_gets_no_link() {
    let payments = Payments::start().await;
    let (boss, _) = payments.paid().await;
    payments.clock.advance(std::time::Duration::from_secs(20 * 365 * 24 * 3_600));
    let refused = payments.try_create_link(&boss).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::AlreadyExists, "{refused}");
    assert!(payments.is_premium(&boss).await);
}
