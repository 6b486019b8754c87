//! Events that cannot be stored now, are slow to apply, come by two ways, or do not come at all.

use proto::payments::PaymentStatus;
use serde_json::{Value, json};
use testkit::eventually;

use crate::service::Payments;

fn paid_event(payment: &proto::payments::Payment) -> Value {
    let link = json!({ "id": payment.razorpay_payment_link_id, "status": "paid" });
    json!({ "entity": "event", "event": "payment_link.paid", "payload": { "payment_link": { "entity": link } } })
}

#[tokio::test]
async fn case_13_an_event_that_comes_to_both_addresses_is_applied_once() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid_in_silence().await;
    let event = paid_event(&payment);
    assert_eq!(payments.event("one", &event).await, 200);
    payments.event_by_gateway("one", &event).await;
    payments.until(&boss, &payment.id, PaymentStatus::Activated).await;
    payments.all_applied().await;
    assert_eq!(payments.count("webhook_events WHERE deliveries = 2").await, 1, "both deliveries are counted");
    assert_eq!(payments.count("payment_changes WHERE status = 'ACTIVATED'").await, 1);
    assert_eq!(payments.count("receipts").await, 1);
    payments.check_books().await;
}

#[tokio::test]
async fn case_24_it_is_told_when_money_arrives_and_no_event_does() {
    let payments = Payments::start().await;
    let (_, payment) = payments.paid_in_silence().await;
    let summary = payments.poll_later(1).await;
    assert!(!summary.contains("no webhooks"), "an event may still be under way: {summary}");
    let summary = payments.poll_later(10).await;
    assert!(summary.contains("no webhooks"), "{summary}");
    assert!(payments.metrics().await.contains("webhooks_missing"));
    let summary = payments.poll_later(24 * 60).await;
    assert!(summary.contains("no webhooks"), "still: {summary}");
    // The webhook works again.
    assert_eq!(payments.event("late", &paid_event(&payment)).await, 200);
    payments.all_applied().await;
    let summary = payments.poll_later(1).await;
    assert!(!summary.contains("no webhooks"), "{summary}");
}

#[tokio::test]
async fn case_25_without_its_database_an_event_is_not_acknowledged_and_counts_when_it_is_sent_again() {
    let (payments, link) = Payments::start_behind_a_link().await;
    let (boss, payment) = payments.paid_in_silence().await;
    let event = paid_event(&payment);
    link.refuse();
    assert_eq!(payments.event("one", &event).await, 503);
    link.mend();
    eventually("it is stored", || async { (payments.event("one", &event).await == 200).then_some(()) }).await;
    payments.until(&boss, &payment.id, PaymentStatus::Activated).await;
    payments.check_books().await;
}

#[tokio::test]
async fn case_26_an_event_is_acknowledged_while_razorpay_does_not_answer() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid_in_silence().await;
    payments.razorpay("/sandbox/chaos", json!({ "hold_api": true })).await;
    assert_eq!(payments.event("one", &paid_event(&payment)).await, 200);
    payments.until(&boss, &payment.id, PaymentStatus::Paid).await;
    assert!(!payments.is_premium(&boss).await, "the event alone does not give it");
    payments.razorpay("/sandbox/chaos", json!({ "hold_api": false })).await;
    payments.until(&boss, &payment.id, PaymentStatus::Activated).await;
}
