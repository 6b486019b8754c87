//! What a stranger or a broken peer may cost.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use kit::ids::TenantId;
use proto::payments::PaymentStatus;
use serde_json::json;
use testkit::caller::admin;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::service::Payments;

#[tokio::test]
async fn case_46_razorpay_is_not_asked_before_the_pause_it_wants_is_over() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    let busy = json!({ "failures": [{ "status": 429, "retry_after": 3, "path": "POST /v1/payment_links" }] });
    payments.razorpay("/sandbox/chaos", busy).await;
    payments.try_create_link(&boss).await.unwrap_err();
    let asked = payments.calls().await;
    for _ in 0..5 {
        assert_eq!(payments.try_create_link(&boss).await.unwrap_err().code(), tonic::Code::Unavailable);
    }
    assert_eq!(payments.calls().await, asked, "not one more question");
    assert_eq!(payments.count("payments").await, 1, "clicks make no rows");
    payments.clock.advance(Duration::from_secs(5));
    payments.create_link(&boss).await;
    assert_eq!(payments.count("payments WHERE status = 'PENDING'").await, 1);
}

#[tokio::test]
async fn case_46_when_the_account_may_make_no_more_links_only_links_wait() {
    let payments = Payments::start().await;
    let (boss, payment) = payments.paid_in_silence().await;
    let full =
        json!({ "failures": [{ "status": 429, "code": "RATE_LIMIT_EXCEEDED", "path": "POST /v1/payment_links" }] });
    payments.razorpay("/sandbox/chaos", full).await;
    for _ in 0..3 {
        let refused = payments.try_create_link(&admin(TenantId::new())).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::Unavailable);
    }
    assert_eq!(payments.truth().await["links"].as_array().unwrap().len(), 1);
    payments.poll_later(1).await;
    assert!(payments.is_premium(&boss).await, "payments are settled all the same: {}", payment.id);
    payments.clock.advance(Duration::from_secs(3_600));
    payments.create_link(&admin(TenantId::new())).await;
}

#[tokio::test]
async fn case_48_when_the_key_is_refused_nothing_more_is_asked_for_a_minute() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    payments.razorpay("/sandbox/chaos", json!({ "failures": [{ "status": 401 }] })).await;
    let refused = payments.try_create_link(&boss).await.unwrap_err();
    assert!(!refused.message().contains("secret"), "{refused}");
    let asked = payments.calls().await;
    for tenant in [boss.clone(), admin(TenantId::new())] {
        payments.try_create_link(&tenant).await.unwrap_err();
    }
    payments.clock.advance(Duration::from_secs(30));
    let summary = payments.poll().await;
    assert!(summary.starts_with("due 2"), "{summary}");
    assert_eq!(payments.calls().await, asked, "not by the poll either");
    payments.clock.advance(Duration::from_secs(31));
    payments.create_link(&boss).await;
}

#[tokio::test]
async fn case_49_a_link_lives_long_enough_by_razorpays_clock() {
    for skew in [-600, 600] {
        let payments = Payments::start().await;
        payments.razorpay("/sandbox/chaos", json!({ "skew_secs": skew })).await;
        let payment = payments.create_link(&admin(TenantId::new())).await.0.payment.unwrap();
        assert_eq!(payment.status(), PaymentStatus::Pending, "{skew}");
    }
}

#[tokio::test]
async fn case_50_a_life_that_razorpay_does_not_allow_is_cut() {
    let year = (366 * 24 * 3_600).to_string();
    let payments = Payments::start_with([("PAYMENT_LINK_TTL_SECS", year)]).await;
    payments.create_link(&admin(TenantId::new())).await;
}

#[tokio::test]
async fn case_05_the_old_secret_counts_until_its_time_is_over() {
    let end = kit::Clock::system().now() + chrono::Duration::days(15);
    let payments = Payments::start_with([
        ("RAZORPAY_WEBHOOK_SECRET_PREVIOUS", "the_secret_before_this".to_owned()),
        ("RAZORPAY_WEBHOOK_SECRET_PREVIOUS_UNTIL", end.to_rfc3339()),
    ])
    .await;
    let old = async |id: &str| payments.event_signed(b"the_secret_before_this", id, &json!({ "event": id })).await;
    assert_eq!(old("one").await, 200);
    payments.clock.advance(Duration::from_secs(16 * 24 * 3_600));
    assert_eq!(old("two").await, 401);
    assert_eq!(payments.event("three", &json!({ "event": "three" })).await, 200);
}

#[tokio::test]
async fn case_03_an_event_that_is_signed_with_the_key_secret_is_refused() {
    let payments = Payments::start().await;
    let body = json!({ "event": "payment_link.paid" });
    assert_eq!(payments.event_signed(b"sandbox_key_secret_0001", "one", &body).await, 401);
    assert_eq!(payments.count("webhook_events").await, 0);
}

#[tokio::test]
async fn case_08_an_event_of_another_account_is_put_aside() {
    let payments = Payments::start_with([("RAZORPAY_ACCOUNT_ID", "acc_Ours0000000001".to_owned())]).await;
    let boss = admin(TenantId::new());
    let payment = payments.create_link(&boss).await.0.payment.unwrap();
    let event = |account: &str| {
        let link = json!({ "id": payment.razorpay_payment_link_id, "status": "paid" });
        json!({ "event": "payment_link.paid", "account_id": account, "payload": { "payment_link": { "entity": link } } })
    };
    assert_eq!(payments.event("theirs", &event("acc_Theirs000000001")).await, 200);
    payments.all_applied().await;
    assert_eq!(payments.count("webhook_events WHERE state = 'quarantined'").await, 1);
    assert_eq!(payments.get(&boss, &payment.id).await.status(), PaymentStatus::Pending);
    payments.event("ours", &event("acc_Ours0000000001")).await;
    payments.until(&boss, &payment.id, PaymentStatus::Paid).await;
}

#[tokio::test]
async fn case_07_a_body_that_is_too_large_or_trickles_in_is_refused_and_others_pass() {
    let payments = Payments::start().await;
    let large = json!({ "event": "x".repeat(300 * 1_024) });
    assert_eq!(payments.event("large", &large).await, 413);
    let mut slow = TcpStream::connect(payments.webhook_addr()).await.unwrap();
    let head = "POST /api/v1/payments/webhook/razorpay/ HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{";
    slow.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(payments.event("other", &json!({ "event": "other" })).await, 200);
    let mut answer = [0; 64];
    let read = slow.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(answer.get(..read).unwrap()).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn case_09_forged_events_ask_nobody_and_hold_up_nobody() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    let payment = payments.create_link(&boss).await.0.payment.unwrap();
    let asked = payments.calls().await;
    let forged = (0..500).map(|n| {
        let payments = &payments;
        async move { payments.event_signed(b"a_guess", &n.to_string(), &json!({ "event": "payment_link.paid" })).await }
    });
    let answers: Vec<u16> = stream::iter(forged).buffer_unordered(50).collect().await;
    assert!(answers.iter().all(|status| *status == 401));
    assert_eq!((payments.calls().await, payments.count("webhook_events").await), (asked, 0));
    payments.pay(&payment, "success").await;
    payments.until(&boss, &payment.id, PaymentStatus::Activated).await;
}

#[tokio::test]
async fn case_37_and_case_38_and_case_39_a_callback_asks_once_and_a_forged_one_not_at_all() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    let payment = payments.create_link(&boss).await.0.payment.unwrap();
    payments.drop_webhooks().await;
    let url = payments.pay(&payment, "success").await.unwrap();
    let asked = payments.calls().await;
    let forged = url.replace("status=paid", "status=created");
    assert_eq!(payments.callback(&forged).await.outcome, "unknown");
    assert_eq!(payments.calls().await, asked);
    let page = payments.callback(&url).await;
    assert_eq!((page.outcome.as_str(), page.amount_minor), ("active", payment.amount_minor), "before any webhook");
    let asked = payments.calls().await;
    for _ in 0..200 {
        assert_eq!(payments.callback(&url).await, page);
    }
    assert_eq!(payments.calls().await, asked, "replayed");
    payments.check_books().await;
}

#[tokio::test]
async fn case_23_a_link_is_found_paid_by_its_id_while_lists_lag_behind() {
    let payments = Payments::start().await;
    let boss = admin(TenantId::new());
    let payment = payments.create_link(&boss).await.0.payment.unwrap();
    payments.razorpay("/sandbox/chaos", json!({ "drop_webhooks": true, "hide_links": true })).await;
    payments.pay(&payment, "success").await;
    payments.poll_later(1).await;
    assert!(payments.is_premium(&boss).await);
}
