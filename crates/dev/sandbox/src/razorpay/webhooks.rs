use std::time::Duration;

use serde_json::{Value, json};

use super::signature::sign;
use super::store::{Link, Payment, Razorpay, new_id};

/// The most deliveries of one event; the gaps are 0.23 s, then 5 s and doubling, as measured at Razorpay.
const DELIVERIES: u32 = 16;

/// Sends the events of a try to pay: three for one that succeeded, each with its own id, in no fixed order.
pub(super) fn report(razorpay: &Razorpay, link: &Link, payment: &Payment) {
    let base = razorpay.state().base.clone();
    let (link_entity, payment_entity) = (link.entity(&base), link.payment(payment, &[]));
    let wrap = |entity: &Value| json!({ "entity": entity });
    let with_payment = json!({ "payment": wrap(&payment_entity) });
    let with_order = json!({ "payment": wrap(&payment_entity), "order": wrap(&link.order()) });
    let with_link =
        json!({ "order": wrap(&link.order()), "payment": wrap(&payment_entity), "payment_link": wrap(&link_entity) });
    let events = if payment.status == "captured" {
        vec![
            ("payment.captured", with_payment, payment.created_at),
            ("order.paid", with_order, payment.created_at),
            // The top-level time of link events is that of the link's creation, not that of the event.
            ("payment_link.paid", with_link, link.created_at),
        ]
    } else {
        vec![("payment.failed", with_payment, payment.created_at)]
    };
    for (event, payload, created_at) in events {
        send_payload(razorpay, event, &payload, created_at);
    }
}

/// Sends an event with these entities.
pub(super) fn send_payload(razorpay: &Razorpay, event: &str, payload: &Value, created_at: i64) {
    let contains: Vec<String> = payload.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default();
    let body = json!({ "account_id": "acc_Sandbox0000001", "contains": contains, "created_at": created_at,
                       "entity": "event", "event": event, "payload": payload });
    send(razorpay, event, &body);
}

/// Delivers one event in the background, with its retries.
fn send(razorpay: &Razorpay, event: &str, body: &Value) {
    let chaos = razorpay.state().chaos.clone();
    if chaos.drop_webhooks {
        return;
    }
    let (body, id) = (body.to_string(), new_id(""));
    for _ in 0..=chaos.duplicates {
        tokio::spawn(deliver(razorpay.clone(), event.to_owned(), body.clone(), id.clone()));
    }
}

async fn deliver(razorpay: Razorpay, event: String, body: String, id: String) {
    let Ok(http) = reqwest::Client::builder().timeout(Duration::from_secs(5)).build() else { return };
    let signature = sign(&razorpay.options.webhook_secret, body.as_bytes());
    for delivery in 0..DELIVERIES {
        let sent = http
            .post(&razorpay.options.webhook_url)
            .header("content-type", "application/json")
            .header("user-agent", "Razorpay-Webhook/v1")
            .header("x-razorpay-signature", &signature)
            .header("x-razorpay-event-id", &id)
            .header("request-id", &id)
            .body(body.clone())
            .send()
            .await;
        let status = sent.map_or(0, |response| response.status().as_u16());
        razorpay.state().deliveries.push((event.clone(), status));
        if (200..300).contains(&status) {
            return;
        }
        tokio::time::sleep(gap(delivery)).await;
    }
}

/// The time before the next delivery.
fn gap(delivery: u32) -> Duration {
    match delivery {
        0 => Duration::from_millis(230),
        later => Duration::from_secs(5 << (later - 1).min(13)),
    }
}
