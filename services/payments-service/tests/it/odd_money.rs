//! Money that is not what was asked for, or that Razorpay does not take.

use kit::ids::TenantId;
use proto::payments::PaymentStatus;
use serde_json::json;
use testkit::caller::admin;

use crate::service::Payments;

#[tokio::test]
async fn case_30_a_part_of_the_price_gives_no_premium_and_is_flagged() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    let payment = payments.create_link(&boss).await.0.payment.unwrap();
    let pay = format!("/sandbox/links/{}/pay", payment.razorpay_payment_link_id);
    payments.razorpay(&pay, json!({ "amount": 20_000 })).await;
    let flagged = payments.until(&boss, &payment.id, PaymentStatus::Paid).await;
    payments.all_applied().await;
    assert!(!payments.is_premium(&boss).await);
    let flagged = payments.get(&boss, &flagged.id).await;
    assert_eq!(flagged.error_message, "What was paid is not what was asked for.");
    assert_eq!(payments.count("receipts").await, 0);
    payments.check_books().await;
    // The rest arrives as a second payment; neither has the price, so a person has to look.
    payments.razorpay(&pay, json!({})).await;
    payments.all_applied().await;
    payments.poll_later(10).await;
    assert!(!payments.is_premium(&boss).await);
    payments.check_books().await;
}

#[tokio::test]
async fn case_33_a_new_price_does_not_change_what_an_open_link_costs() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid_in_silence().await;
    let dearer = payments.replica(|config| config.price.amount_minor *= 2).await;
    payments.clock.advance(std::time::Duration::from_secs(60));
    assert!(dearer.poll().await.contains("activated 1"));
    let paid = payments.get(&boss, &payment.id).await;
    assert_eq!((paid.status(), paid.amount_minor), (PaymentStatus::Activated, payment.amount_minor));
    payments.check_books().await;
}

#[tokio::test]
async fn case_35_an_amount_above_what_the_account_takes_makes_no_link_and_no_open_payment() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    payments.razorpay("/sandbox/chaos", json!({ "max_amount": 50_000 })).await;
    let refused = payments.try_create_link(&boss).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable, "{refused}");
    assert_eq!(payments.count("payments WHERE status = 'FAILED' AND error_message ~ 'exceeds'").await, 1);
    assert_eq!(payments.count("payments WHERE status <> 'FAILED'").await, 0);
    assert_eq!(payments.truth().await["links"], json!([]));
    payments.razorpay("/sandbox/chaos", json!({ "max_amount": 500_000 })).await;
    payments.create_link(&boss).await;
}

#[tokio::test]
async fn case_52_a_link_that_was_cancelled_or_has_expired_already_counts_as_cancelled() {
    for end in ["cancel", "expire"] {
        let payments = Payments::start().await;
        let boss = admin(TenantId::new());
        let first = payments.create_link(&boss).await.0.payment.unwrap();
        // Here its time is over, there somebody has ended it in the same moment.
        payments.drop_webhooks().await;
        payments.razorpay(&format!("/sandbox/links/{}/{end}", first.razorpay_payment_link_id), json!({})).await;
        payments.clock.advance(std::time::Duration::from_secs(3_600));
        let second = payments.create_link(&boss).await.0.payment.unwrap();
        assert_ne!(second.id, first.id, "{end}");
        assert_eq!(payments.get(&boss, &first.id).await.status(), PaymentStatus::Failed);
        let asked = payments.calls().await;
        payments.poll_later(1).await;
        assert!(payments.calls().await <= asked + 2, "{end}: the first one is not cancelled again and again");
    }
}

#[tokio::test]
async fn money_that_arrives_days_after_its_payment_failed_gives_premium() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    let payment = payments.create_link(&boss).await.0.payment.unwrap();
    payments.drop_webhooks().await;
    let pay = format!("/sandbox/links/{}/pay", payment.razorpay_payment_link_id);
    let tried = payments.razorpay(&pay, json!({ "outcome": "unanswered" })).await;
    let tried = tried["id"].as_str().unwrap();
    payments.poll_later(60).await;
    assert_eq!(payments.get(&boss, &payment.id).await.status(), PaymentStatus::Failed, "its link has expired");
    payments.razorpay(&format!("/sandbox/payments/{tried}/arrive"), json!({})).await;
    payments.poll_later(2 * 24 * 60).await;
    assert!(payments.is_premium(&boss).await);
    payments.check_books().await;
}
