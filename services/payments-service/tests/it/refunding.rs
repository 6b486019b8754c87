//! Money goes back: by a SUPER_ADMIN, in Razorpay's dashboard, or by a bank.

use kit::ids::TenantId;
use proto::payments::PaymentStatus;
use serde_json::json;
use testkit::caller::admin;

use crate::service::Payments;

#[tokio::test]
async fn case_56_a_refund_in_the_dashboard_ends_premium_when_its_webhook_arrives() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid().await;
    let path = format!("/sandbox/payments/{}/refund", payment.razorpay_payment_id);
    payments.razorpay(&path, json!({ "status": "processed" })).await;
    let refunded = payments.until(&boss, &payment.id, PaymentStatus::Refunded).await;
    assert_eq!((refunded.refunded_minor, refunded.refund_due_minor), (refunded.amount_minor, 0));
    assert!(!payments.is_premium(&boss).await);
    assert_eq!(payments.count("outbox WHERE topic = 'premium.changed'").await, 2, "granted and ended");
    payments.check_books().await;
    // The organisation may buy it again.
    let again = payments.create_link(&boss).await.0.payment.unwrap();
    payments.pay(&again, "success").await;
    payments.until(&boss, &again.id, PaymentStatus::Activated).await;
    assert!(payments.is_premium(&boss).await);
    payments.check_books().await;
}

#[tokio::test]
async fn case_56_a_refund_in_the_dashboard_is_found_without_its_webhook() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid().await;
    payments.drop_webhooks().await;
    let path = format!("/sandbox/payments/{}/refund", payment.razorpay_payment_id);
    payments.razorpay(&path, json!({ "status": "processed" })).await;
    payments.poll_later(2 * 24 * 60).await;
    assert_eq!(payments.get(&boss, &payment.id).await.status(), PaymentStatus::Refunded);
    assert!(!payments.is_premium(&boss).await);
}

#[tokio::test]
async fn a_partial_refund_in_the_dashboard_changes_the_ledger_only() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid().await;
    let path = format!("/sandbox/payments/{}/refund", payment.razorpay_payment_id);
    payments.razorpay(&path, json!({ "status": "processed", "amount": 10_000 })).await;
    payments.all_applied().await;
    let now = testkit::eventually("the refund is known", || async {
        Some(payments.get(&boss, &payment.id).await).filter(|payment| payment.refunded_minor == 10_000)
    })
    .await;
    assert_eq!((now.status(), now.refund_due_minor), (PaymentStatus::Activated, 0));
    assert!(payments.is_premium(&boss).await);
    assert_eq!(payments.count("ledger_lines WHERE entry LIKE 'refund:%:processed' AND amount_minor = 10000").await, 1);
    payments.check_books().await;
}

#[tokio::test]
async fn case_55_a_refund_ends_premium_when_it_is_processed_and_one_that_fails_does_not() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid().await;
    payments.razorpay("/sandbox/chaos", json!({ "refunds_stay_pending": true })).await;
    payments.refund(&payment.id).await.unwrap();
    payments.all_applied().await;
    assert!(payments.is_premium(&boss).await, "a refund on its way changes nothing");
    let truth = payments.truth().await;
    let refund = format!("/sandbox/refunds/{}", truth["refunds"][0]["id"].as_str().unwrap());
    payments.razorpay(&refund, json!({ "status": "failed" })).await;
    testkit::eventually("the failure is in the ledger", || async {
        (payments.count("ledger_lines WHERE entry LIKE 'refund:%:failed'").await == 2).then_some(())
    })
    .await;
    assert!(payments.is_premium(&boss).await, "the money has come back");
    // It can be asked for again.
    payments.refund(&payment.id).await.unwrap();
    let truth = payments.truth().await;
    let refund = format!("/sandbox/refunds/{}", truth["refunds"][1]["id"].as_str().unwrap());
    payments.razorpay(&refund, json!({ "status": "processed" })).await;
    payments.until(&boss, &payment.id, PaymentStatus::Refunded).await;
    assert!(!payments.is_premium(&boss).await);
    payments.check_books().await;
}

#[tokio::test]
async fn mf_03_and_case_53_a_refund_whose_answer_is_lost_is_made_once() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid().await;
    // The questions before the refund are answered; the answer to the refund is lost.
    let lost = json!({ "failures": [{ "status": 504, "commit": true, "path": "POST /v1/payments/" }] });
    payments.razorpay("/sandbox/chaos", lost).await;
    payments.refund(&payment.id).await.unwrap();
    payments.poll_later(5).await;
    payments.until(&boss, &payment.id, PaymentStatus::Refunded).await;
    let truth = payments.truth().await;
    assert_eq!(truth["refunds"].as_array().unwrap().len(), 1, "{truth}");
    assert_eq!(payments.refund(&payment.id).await.unwrap_err().code(), tonic::Code::AlreadyExists);
    payments.check_books().await;
}

#[tokio::test]
async fn case_59_a_refund_that_is_being_made_already_is_asked_for_again() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid().await;
    payments.razorpay("/sandbox/chaos", json!({ "failures": [{ "status": 409, "path": "POST /v1/payments/" }] })).await;
    payments.refund(&payment.id).await.unwrap();
    assert!(payments.is_premium(&boss).await);
    payments.poll_later(5).await;
    payments.until(&boss, &payment.id, PaymentStatus::Refunded).await;
    assert_eq!(payments.truth().await["refunds"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn case_54_of_operators_who_refund_at_once_one_does_and_the_others_are_told() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid().await;
    let (one, two, three) =
        tokio::join!(payments.refund(&payment.id), payments.refund(&payment.id), payments.refund(&payment.id));
    let made = [&one, &two, &three].into_iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(made, 1);
    payments.until(&boss, &payment.id, PaymentStatus::Refunded).await;
    assert_eq!(payments.truth().await["refunds"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_not_paid_is_not_refunded() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    let payment = payments.create_link(&boss).await.0.payment.unwrap();
    assert_eq!(payments.refund(&payment.id).await.unwrap_err().code(), tonic::Code::AlreadyExists);
    let unknown = payments.refund(&kit::ids::random().to_string()).await.unwrap_err();
    assert_eq!(unknown.code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn case_58_a_dispute_is_flagged_and_a_lost_one_ends_premium_once() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid().await;
    let path = format!("/sandbox/payments/{}/dispute", payment.razorpay_payment_id);
    payments.razorpay(&path, json!({ "status": "created" })).await;
    payments.all_applied().await;
    assert!(payments.is_premium(&boss).await);
    for _ in 0..2 {
        payments.razorpay(&path, json!({ "status": "lost" })).await;
    }
    let lost = payments.until(&boss, &payment.id, PaymentStatus::Refunded).await;
    assert!(lost.history.last().unwrap().cause.contains("payment.dispute.lost"), "{:?}", lost.history);
    payments.all_applied().await;
    assert!(!payments.is_premium(&boss).await);
    assert_eq!(payments.count("ledger_lines WHERE entry LIKE 'dispute:%'").await, 2);
    assert_eq!(payments.refund(&payment.id).await.unwrap_err().code(), tonic::Code::AlreadyExists);
    payments.check_books().await;
}

#[tokio::test]
async fn money_for_a_deleted_tenant_is_listed_for_refund() {
    let payments = Payments::start().await;
    let tenant = TenantId::new();
    let boss = admin(tenant);
    let payment = payments.create_link(&boss).await.0.payment.unwrap();
    payments.tenant_changed(tenant, 1, true).await;
    payments.pay(&payment, "success").await;
    let held = payments.until(&boss, &payment.id, PaymentStatus::Verified).await;
    assert_eq!(held.refund_due_minor, held.amount_minor);
    assert!(!payments.is_premium(&boss).await);
    payments.refund(&payment.id).await.unwrap();
    let back = payments.until(&boss, &payment.id, PaymentStatus::Refunded).await;
    assert_eq!(back.refund_due_minor, 0);
    payments.check_books().await;
}
