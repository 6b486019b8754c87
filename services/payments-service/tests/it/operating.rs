//! What an operator does at the command line.

use kit::ids::TenantId;
use kit_pg::bootstrap::open;
use payments_service::operators;
use proto::payments::PaymentStatus;
use serde_json::json;
use testkit::caller::admin;

use crate::service::Payments;

#[tokio::test]
async fn an_operator_reconciles_after_all_webhooks_were_dropped_and_sees_why_a_tenant_is_premium() {
    let payments = Payments::start().await;
    let (_, payment) = payments.paid_in_silence().await;
    let tenant = payment.tenant_id.parse().unwrap();
    let app = payments.app();
    assert!(!operators::why(&app, tenant).await.unwrap().0);
    let rounds = operators::reconcile(&app).await.unwrap();
    assert!(rounds.iter().any(|round| round.contains("activated 1")), "{rounds:?}");
    let (premium, accounts) = operators::why(&app, tenant).await.unwrap();
    assert!(premium && accounts.len() == 1);
    let account = accounts.first().unwrap();
    assert!(account.facts.iter().any(|(_, fact, cause)| fact.contains("captured") && cause == "poll"), "{account:?}");
}

#[tokio::test]
async fn an_operator_is_told_when_razorpay_is_not_asked_and_reconciles_later() {
    let payments = Payments::start().await;
    let (boss, _) = payments.paid_in_silence().await;
    let app = payments.app();
    payments.razorpay("/sandbox/chaos", json!({ "failures": [{ "status": 401 }] })).await;
    operators::reconcile(&app).await.unwrap_err();
    let asked = payments.calls().await;
    operators::reconcile(&app).await.unwrap_err();
    assert_eq!(payments.calls().await, asked, "one question was enough");
    payments.clock.advance(std::time::Duration::from_secs(10 * 60));
    operators::reconcile(&app).await.unwrap();
    assert!(payments.is_premium(&boss).await);
}

#[tokio::test]
async fn case_19_an_event_that_was_stored_and_not_applied_is_applied_and_once_more_without_effect() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid().await;
    payments.all_applied().await;
    // As a crash between the two leaves it.
    let left = format!("UPDATE {}.webhook_events SET state = 'pending', next_attempt_at = now()", payments.db.schema);
    open(payments.db.admin_url()).await.unwrap().batch_execute(&left).await.unwrap();
    payments.all_applied().await;
    assert_eq!(payments.get(&boss, &payment.id).await.status(), PaymentStatus::Activated);
    assert_eq!(payments.count("payment_changes WHERE status = 'ACTIVATED'").await, 1);
    payments.check_books().await;
}

#[tokio::test]
async fn an_event_that_was_put_aside_is_shown_and_replayed() {
    let payments = Payments::start_with([("RAZORPAY_ACCOUNT_ID", "acc_Ours0000000001".to_owned())]).await;
    let boss = admin(TenantId::new());
    let payment = payments.create_link(&boss).await.0.payment.unwrap();
    let link = json!({ "id": payment.razorpay_payment_link_id, "status": "paid" });
    let event = json!({ "event": "payment_link.paid", "account_id": "acc_Old00000000001",
                        "payload": { "payment_link": { "entity": link } } });
    payments.event("one", &event).await;
    let app = payments.app();
    let waiting = operators::inbox(&app, 10).await.unwrap();
    assert_eq!(waiting.iter().map(|event| event.state.as_str()).collect::<Vec<_>>(), ["quarantined"]);
    assert!(operators::replay(&app, "one").await.unwrap());
    assert!(!operators::replay(&app, "another").await.unwrap());
    payments.until(&boss, &payment.id, PaymentStatus::Paid).await;
}

#[tokio::test]
async fn case_65_what_does_not_agree_with_the_facts_is_found() {
    let payments = Payments::start().await;
    payments.paid().await;
    let app = payments.app();
    let superuser = open(payments.db.admin_url()).await.unwrap();
    let schema = &payments.db.schema;
    for (breaks, mends) in [
        ("payments SET status = 'REFUNDED'", "payments SET status = 'ACTIVATED'"),
        ("payments SET refund_due_minor = 5", "payments SET refund_due_minor = 0"),
        ("subscriptions SET is_premium = false", "subscriptions SET is_premium = true"),
        ("ledger_lines SET amount_minor = amount_minor * 2", "ledger_lines SET amount_minor = amount_minor / 2"),
    ] {
        assert_eq!(operators::verify(&app).await.unwrap().1, Vec::<String>::new());
        superuser.batch_execute(&format!("UPDATE {schema}.{breaks}")).await.unwrap();
        assert!(!operators::verify(&app).await.unwrap().1.is_empty(), "{breaks}");
        superuser.batch_execute(&format!("UPDATE {schema}.{mends}")).await.unwrap();
    }
    let lopsided = format!(
        "INSERT INTO {schema}.ledger_lines SELECT 'x', 'revenue', id, tenant_id, 5, 'INR', now() FROM {schema}.payments"
    );
    let refused = superuser.batch_execute(&format!("SET search_path = {schema}; {lopsided}")).await;
    assert!(refused.is_err(), "the database keeps an entry that does not sum to zero out");
}

#[tokio::test]
async fn case_67_an_export_has_every_line_of_its_span_once_and_nothing_about_the_payer() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid().await;
    payments.paid().await;
    payments.refund(&payment.id).await.unwrap();
    payments.until(&boss, &payment.id, PaymentStatus::Refunded).await;
    let app = payments.app();
    let now = payments.clock.now();
    let days = |count: i64| chrono::Duration::days(count);
    let mut span = operators::Span { from: now - days(1), until: now + days(1), tenant: None };
    let all = operators::ledger_lines(&app, &span, None).await.unwrap();
    assert_eq!(i64::try_from(all.len()).unwrap(), payments.count("ledger_lines").await);
    assert_eq!(all.iter().map(|line| line.amount_minor).sum::<i64>(), 0);
    let mut behind = Vec::new();
    for place in 0..all.len() {
        let rest = operators::ledger_lines(&app, &span, all.get(place)).await.unwrap();
        behind.push(all.len() - rest.len());
    }
    assert_eq!(behind, (1..=all.len()).collect::<Vec<_>>(), "each line is behind the ones before it");
    let text = format!("{all:?}");
    for secret in ["payer@", "9876543210", "secret"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let paid = payments.get(&boss, &payment.id).await.razorpay_payment_id;
    assert!(all.iter().any(|line| line.entry.starts_with("capture:") && line.entity_id == paid), "{text}");
    assert!(all.iter().any(|line| line.entity_id.starts_with("rfnd_")));
    assert!(!operators::is_complete(&app, &span), "lines of today may come");
    span.tenant = Some(payment.tenant_id.parse().unwrap());
    let own = operators::ledger_lines(&app, &span, None).await.unwrap();
    assert!(
        !own.is_empty() && own.iter().all(|line| line.reference_id == format!("sl-{}", payment.id.replace('-', "")))
    );
    span.until = span.from;
    assert!(operators::ledger_lines(&app, &span, None).await.unwrap().is_empty());
}
