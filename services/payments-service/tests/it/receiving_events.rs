//! Events arrive in any order, more than once, late, or never.

use kit::ids::TenantId;
use kit_pg::bootstrap::open;
use proto::payments::{Payment, PaymentStatus};
use serde_json::{Value, json};
use testkit::caller::admin;

use crate::service::Payments;

/// The bodies of the three events of a payment, as Razorpay would send them now.
async fn events(payments: &Payments, payment: &Payment) -> [(&'static str, Value); 3] {
    let link = json!({ "id": payment.razorpay_payment_link_id, "reference_id": "", "status": "paid" });
    let truth = payments.truth().await;
    let links = truth.pointer("/links").and_then(Value::as_array).unwrap();
    let is_own = |link: &&Value| link.get("id").and_then(Value::as_str) == Some(&payment.razorpay_payment_link_id);
    let own = links.iter().find(is_own).and_then(|link| link.pointer("/payments/0/id")).unwrap();
    let paid = json!({ "id": own, "status": "captured",
                       "description": format!("#{}", payment.razorpay_payment_link_id.trim_start_matches("plink_")) });
    let event = |name: &str, payload: Value| json!({ "entity": "event", "event": name, "payload": payload });
    [
        ("payment.captured", json!({ "payment": { "entity": paid } })),
        ("order.paid", json!({ "payment": { "entity": paid } })),
        ("payment_link.paid", json!({ "payment_link": { "entity": link }, "payment": { "entity": paid } })),
    ]
    .map(|(name, payload)| (name, event(name, payload)))
}

async fn check_once(payments: &Payments, payment: &Payment) {
    let of = |rows: &str| rows.replace('$', &payment.id);
    for rows in [
        "payment_changes WHERE payment_id = '$' AND status = 'ACTIVATED'",
        "receipts WHERE payment_id = '$'",
        "ledger_lines WHERE payment_id = '$' AND entry LIKE 'capture:%' AND account = 'revenue'",
    ] {
        assert_eq!(payments.count(&of(rows)).await, 1, "{rows}");
    }
    payments.check_books().await;
}

#[tokio::test]
async fn case_12_the_three_events_of_a_payment_activate_it_once_in_every_order() {
    let payments = Payments::start().await;
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let (boss, payment) = payments.paid_in_silence().await;
        let events = events(&payments, &payment).await;
        for place in order {
            let (name, body) = events.get(place).unwrap();
            assert_eq!(payments.event(&format!("{name}-{}", payment.id), body).await, 200);
        }
        payments.until(&boss, &payment.id, PaymentStatus::Activated).await;
        payments.all_applied().await;
        check_once(&payments, &payment).await;
    }
    assert_eq!(payments.count("outbox WHERE topic = 'mail.requested'").await, 6, "one receipt is mailed each");
}

#[tokio::test]
async fn case_10_and_case_11_an_event_that_is_delivered_sixteen_times_is_applied_once() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid_in_silence().await;
    let [_, _, (_, body)] = events(&payments, &payment).await;
    let (one, two) = tokio::join!(payments.event("one", &body), payments.event("one", &body));
    assert_eq!((one, two), (200, 200));
    payments.until(&boss, &payment.id, PaymentStatus::Activated).await;
    for hours in 0..14 {
        payments.clock.advance(std::time::Duration::from_secs(hours * 600));
        assert_eq!(payments.event("one", &body).await, 200);
    }
    payments.all_applied().await;
    assert_eq!(payments.count("webhook_events WHERE deliveries = 16").await, 1);
    check_once(&payments, &payment).await;
}

#[tokio::test]
async fn case_20_an_event_id_that_comes_with_another_body_is_flagged_and_not_applied() {
    let payments = Payments::start().await;
    let (_, payment) = payments.paid_in_silence().await;
    assert_eq!(payments.event("one", &json!({ "event": "payment.downtime.started" })).await, 200);
    let [_, _, (_, body)] = events(&payments, &payment).await;
    assert_eq!(payments.event("one", &body).await, 200);
    payments.all_applied().await;
    assert_eq!(payments.count("webhook_events WHERE event_id = 'one' AND note LIKE '%another body%'").await, 1);
    assert_eq!(payments.count("payments WHERE status = 'PENDING'").await, 1);
}

#[tokio::test]
async fn case_21_an_event_that_support_replays_after_two_weeks_is_known() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid_in_silence().await;
    let [_, _, (_, body)] = events(&payments, &payment).await;
    payments.event("one", &body).await;
    payments.until(&boss, &payment.id, PaymentStatus::Activated).await;
    payments.all_applied().await;
    let old = format!("UPDATE {}.webhook_events SET received_at = now() - interval '14 days'", payments.db.schema);
    open(payments.db.admin_url()).await.unwrap().batch_execute(&old).await.unwrap();
    payments.run("payments.purge").await;
    assert_eq!(payments.event("one", &body).await, 200);
    assert_eq!(payments.count("webhook_events WHERE deliveries = 2 AND state = 'applied'").await, 1);
    check_once(&payments, &payment).await;
}

#[tokio::test]
async fn case_22_and_case_40_when_all_webhooks_are_dropped_and_nobody_comes_back_one_run_of_the_poll_activates_everything()
 {
    let payments = Payments::start().await;
    let mut all = Vec::new();
    for _ in 0..10 {
        all.push(payments.paid_in_silence().await);
    }
    let summary = payments.poll_later(1).await;
    assert!(summary.contains("activated 10"), "{summary}");
    for (boss, payment) in &all {
        assert!(payments.is_premium(boss).await);
        check_once(&payments, payment).await;
    }
}

#[tokio::test]
async fn case_14_a_refund_that_is_known_before_its_payment_gives_no_premium() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid_in_silence().await;
    let id = payments.truth().await["links"][0]["payments"][0]["id"].as_str().unwrap().to_owned();
    payments.razorpay(&format!("/sandbox/payments/{id}/refund"), json!({ "status": "processed" })).await;
    // The refund's event names the payment only by the description of its link.
    let link = payment.razorpay_payment_link_id.trim_start_matches("plink_");
    let refund = json!({ "event": "refund.processed", "payload": {
        "refund": { "entity": { "id": "rfnd_1", "payment_id": id, "amount": payment.amount_minor, "status": "processed" } },
        "payment": { "entity": { "id": id, "description": format!("#{link}"), "status": "captured" } } } });
    payments.event("refund", &refund).await;
    payments.all_applied().await;
    let [(_, captured), ..] = events(&payments, &payment).await;
    payments.event("captured", &captured).await;
    payments.until(&boss, &payment.id, PaymentStatus::Refunded).await;
    assert!(!payments.is_premium(&boss).await);
    assert_eq!(payments.count("outbox WHERE topic = 'premium.changed'").await, 0, "never, not even for a moment");
    assert_eq!(payments.count("receipts").await, 0);
    payments.check_books().await;
}

#[tokio::test]
async fn case_15_and_case_16_a_try_that_failed_is_not_the_end_and_does_not_undo_one_that_succeeded() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    let payment = payments.create_link(&boss).await.0.payment.unwrap();
    payments.pay(&payment, "failure").await;
    payments.all_applied().await;
    assert_eq!(payments.get(&boss, &payment.id).await.status(), PaymentStatus::Pending);
    payments.pay(&payment, "success").await;
    payments.until(&boss, &payment.id, PaymentStatus::Activated).await;
    let failed = json!({ "event": "payment.failed", "payload": { "payment": { "entity": {
        "id": payments.get(&boss, &payment.id).await.razorpay_payment_id, "status": "failed" } } } });
    payments.event("late", &failed).await;
    payments.all_applied().await;
    assert_eq!(payments.get(&boss, &payment.id).await.status(), PaymentStatus::Activated);
    check_once(&payments, &payment).await;
}

#[tokio::test]
async fn case_17_events_and_polls_that_see_a_payment_at_once_activate_it_once() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid_in_silence().await;
    let [(_, one), (_, two), (_, three)] = events(&payments, &payment).await;
    payments.clock.advance(std::time::Duration::from_secs(60));
    tokio::join!(
        payments.event("1", &one),
        payments.poll(),
        payments.event("2", &two),
        payments.poll(),
        payments.event("3", &three),
        payments.poll(),
    );
    payments.until(&boss, &payment.id, PaymentStatus::Activated).await;
    payments.all_applied().await;
    check_once(&payments, &payment).await;
    assert_eq!(payments.count("outbox WHERE topic = 'mail.requested'").await, 1);
}

#[tokio::test]
async fn case_27_and_case_36_events_of_others_are_stored_and_change_nothing() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    let payment = payments.create_link(&boss).await.0.payment.unwrap();
    let theirs = json!({ "event": "payment_link.paid", "payload": { "payment_link": { "entity": {
        "id": "plink_ofSomebodyElse", "reference_id": "theirs", "notes": { "tenant_id": payment.tenant_id } } } } });
    for (id, body) in [("unknown", json!({ "event": "subscription.charged" })), ("theirs", theirs)] {
        assert_eq!(payments.event(id, &body).await, 200);
    }
    payments.all_applied().await;
    assert_eq!(payments.count("webhook_events WHERE state = 'ignored'").await, 2);
    assert_eq!(payments.get(&boss, &payment.id).await.status(), PaymentStatus::Pending);
}

#[tokio::test]
async fn case_29_a_signed_event_alone_does_not_activate() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    let payment = payments.create_link(&boss).await.0.payment.unwrap();
    let reported = json!({ "event": "payment_link.paid", "payload": { "payment_link": { "entity": {
        "id": payment.razorpay_payment_link_id, "status": "paid", "amount_paid": payment.amount_minor } } } });
    payments.event("early", &reported).await;
    payments.until(&boss, &payment.id, PaymentStatus::Paid).await;
    payments.all_applied().await;
    assert!(!payments.is_premium(&boss).await, "Razorpay, when it is asked, has no money");
}
