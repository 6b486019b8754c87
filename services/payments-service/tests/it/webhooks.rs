//! Webhooks on the service's own port: a signed body is acknowledged whatever it contains.

use crate::service::Payments;

#[tokio::test]
async fn mf_01_and_sf_29_a_signed_body_is_acknowledged_whatever_it_contains() {
    let payments = Payments::start().await;
    for body in [
        br#"{"event":"payment.captured\u0000","payload":{"no\u0000te":"a\u0000b"}}"#.as_slice(),
        br#"{"event":"x","amount":1e999}"#,
        b"\xff\xfe",
        b"[1,2]",
        b"",
        b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    ] {
        assert_eq!(payments.webhook(body).await, 200, "{body:?}");
        assert_eq!(payments.webhook(body).await, 200, "and again: {body:?}");
    }
}

#[tokio::test]
async fn sf_27_a_right_signature_beside_another_one_is_none() {
    let payments = Payments::start().await;
    let body = br#"{"event":"payment_link.paid","payload":{}}"#;
    assert_eq!(payments.webhook_beside(body, Some("00")).await, 400);
    assert_eq!(payments.webhook(body).await, 200);
}
