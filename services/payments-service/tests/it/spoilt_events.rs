//! What Razorpay, or the way to it, may do to events, answers and accounts; and that the sandbox does it.

use std::time::Duration;

use kit::ids::TenantId;
use proto::payments::PaymentStatus;
use serde_json::{Value, json};
use testkit::caller::admin;
use testkit::eventually;

use crate::service::Payments;

/// The statuses with which deliveries were answered.
async fn answers(payments: &Payments) -> Vec<u64> {
    let truth = payments.truth().await;
    let deliveries = truth.get("deliveries").and_then(Value::as_array).unwrap();
    deliveries.iter().filter_map(|delivery| delivery.get("status").and_then(Value::as_u64)).collect()
}

#[tokio::test]
async fn an_event_that_was_spoilt_on_its_way_is_refused_and_counts_when_it_comes_again_whole() {
    for fault in ["wrong_signature", "truncated", "old_secret"] {
        let payments = Payments::start().await;
        let boss = admin(TenantId::new());
        let payment = payments.create_link(&boss).await.0.payment.unwrap();
        payments.razorpay("/sandbox/chaos", json!({ "webhook_fault": fault })).await;
        payments.pay(&payment, "success").await;
        eventually("all three are refused", || async {
            (answers(&payments).await.iter().filter(|status| **status == 401).count() >= 3).then_some(())
        })
        .await;
        assert_eq!(payments.count("webhook_events").await, 0, "{fault}");
        payments.razorpay("/sandbox/chaos", json!({ "webhook_fault": "none" })).await;
        payments.clock.advance(Duration::from_secs(60));
        payments.until(&boss, &payment.id, PaymentStatus::Activated).await;
    }
}

#[tokio::test]
async fn case_20_an_event_whose_second_delivery_has_another_body_is_flagged() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    let payment = payments.create_link(&boss).await.0.payment.unwrap();
    payments.razorpay("/sandbox/chaos", json!({ "webhook_fault": "other_body" })).await;
    payments.pay(&payment, "success").await;
    payments.until(&boss, &payment.id, PaymentStatus::Activated).await;
    eventually("all are flagged", || async {
        (payments.count("webhook_events WHERE deliveries = 2").await == 3).then_some(())
    })
    .await;
    assert_eq!(payments.count("webhook_events").await, 3);
    payments.check_books().await;
}

#[tokio::test]
async fn case_12_events_that_were_held_up_and_come_in_another_order_and_twice_activate_once() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    let payment = payments.create_link(&boss).await.0.payment.unwrap();
    payments.razorpay("/sandbox/chaos", json!({ "hold_webhooks": true })).await;
    payments.pay(&payment, "success").await;
    assert_eq!(payments.truth().await["held"], 3);
    let released = payments.razorpay("/sandbox/release", json!({ "order": [2, 0, 1, 2] })).await;
    assert_eq!(released["released"], 4);
    payments.until(&boss, &payment.id, PaymentStatus::Activated).await;
    eventually("all have arrived", || async {
        (payments.count("webhook_events WHERE deliveries = 2").await == 1).then_some(())
    })
    .await;
    assert_eq!(payments.count("payment_changes WHERE status = 'ACTIVATED'").await, 1);
}

#[tokio::test]
async fn case_24_a_webhook_that_fails_for_a_day_is_disabled_until_somebody_enables_it() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    let payment = payments.create_link(&boss).await.0.payment.unwrap();
    payments.razorpay("/sandbox/chaos", json!({ "webhook_fault": "wrong_signature" })).await;
    payments.pay(&payment, "failure").await;
    eventually("it is disabled", || async {
        payments.clock.advance(Duration::from_secs(6 * 3_600));
        (payments.truth().await["webhook_disabled_at"] != 0).then_some(())
    })
    .await;
    assert_eq!(answers(&payments).await.len(), 16, "the first delivery and fifteen more");
    payments.razorpay("/sandbox/chaos", json!({ "webhook_fault": "none" })).await;
    let pay = format!("/sandbox/links/{}/pay", payment.razorpay_payment_link_id);
    payments.razorpay(&pay, json!({ "late": true })).await;
    assert_eq!(answers(&payments).await.len(), 16, "nothing is sent");
    payments.poll_later(2 * 24 * 60).await;
    assert!(payments.is_premium(&boss).await);
    payments.razorpay("/sandbox/webhook/enable", json!({})).await;
    let other = payments.create_link(&admin(TenantId::new())).await.0.payment.unwrap();
    payments.pay(&other, "success").await;
    eventually("events come again", || async { (answers(&payments).await.len() > 16).then_some(()) }).await;
}

#[tokio::test]
async fn case_46_the_quota_of_the_account_and_case_43_both_texts_of_a_reference_that_is_known() {
    let payments = Payments::start().await;
    for live_texts in [false, true] {
        let boss = admin(TenantId::new());
        // The link was made, its answer was lost, and lists do not show it yet: another creation is refused.
        let lost = json!({ "status": 504, "commit": true, "path": "POST /v1/payment_links" });
        let chaos = json!({ "failures": [lost], "hide_links": true, "live_texts": live_texts });
        payments.razorpay("/sandbox/chaos", chaos).await;
        for _ in 0..2 {
            payments.try_create_link(&boss).await.unwrap_err();
        }
        assert_eq!(payments.count("payments WHERE status = 'FAILED'").await, 0, "nothing is given up");
        payments.razorpay("/sandbox/chaos", json!({ "hide_links": false })).await;
        let payment = payments.create_link(&boss).await.0.payment.unwrap();
        assert_eq!(payment.status(), PaymentStatus::Pending, "{live_texts}");
    }
    payments.razorpay("/sandbox/chaos", json!({ "link_quota": 2 })).await;
    let refused = payments.try_create_link(&admin(TenantId::new())).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable);
    assert_eq!(payments.truth().await["links"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_goes_wrong_by_chance_is_put_right_and_a_seed_decides_it() {
    let mut sent = Vec::new();
    for _ in 0..2 {
        let payments = Payments::start().await;
        payments.razorpay("/sandbox/chaos", json!({ "chances": { "seed": 7, "drop": 30, "duplicate": 30 } })).await;
        let mut all = Vec::new();
        for _ in 0..10 {
            let boss = admin(TenantId::new());
            let payment = payments.create_link(&boss).await.0.payment.unwrap();
            payments.pay(&payment, "success").await;
            all.push(boss);
        }
        sent.push(payments.truth().await["sent"].clone());
        payments.poll_later(1).await;
        for boss in &all {
            eventually("the tenant is premium", || async { payments.is_premium(boss).await.then_some(()) }).await;
        }
        payments.check_books().await;
    }
    assert_eq!(sent.first(), sent.last());
    assert_ne!(sent.first(), Some(&json!(30)), "three for each");
}

#[tokio::test]
async fn case_65_what_razorpay_settles_is_what_the_ledger_has_as_receivable() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid().await;
    payments.paid().await;
    payments.refund(&payment.id).await.unwrap();
    payments.until(&boss, &payment.id, PaymentStatus::Refunded).await;
    let settled = payments.razorpay("/sandbox/settle", json!({})).await;
    let again = payments.razorpay("/sandbox/settle", json!({})).await;
    assert_eq!(again["amount"], 0, "each is settled once");
    let amount = settled["amount"].as_i64().unwrap();
    let receivable = "(SELECT sum(amount_minor) FROM %.ledger_lines WHERE account = 'gateway_receivable')";
    let agrees = format!("payments WHERE {} = {amount}", receivable.replace('%', &payments.db.schema));
    assert!(payments.count(&agrees).await > 0, "{settled}");
}
