use std::time::Duration;

use serde_json::{Value, json};

use super::chaos::WebhookFault;
use super::entities::{Link, Payment};
use super::signature::sign;
use super::store::{Held, Razorpay, new_id};

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
    let events = match payment.status {
        "captured" if link.paid() < link.amount => vec![
            ("payment.captured", with_payment, payment.created_at),
            ("payment_link.partially_paid", with_link, link.created_at),
        ],
        "captured" => vec![
            ("payment.captured", with_payment, payment.created_at),
            ("order.paid", with_order, payment.created_at),
            // The top-level time of link events is that of the link's creation, not that of the event.
            ("payment_link.paid", with_link, link.created_at),
        ],
        "failed" => vec![("payment.failed", with_payment, payment.created_at)],
        _ => Vec::new(),
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
    send(razorpay, Held { event: event.to_owned(), body: body.to_string(), id: new_id("") });
}

/// Delivers an event in the background, with its retries; or keeps it.
fn send(razorpay: &Razorpay, event: Held) {
    let delays = {
        let mut state = razorpay.state();
        if state.chaos.drop_webhooks || state.disabled_at > 0 {
            return;
        }
        if state.chaos.hold_webhooks {
            state.held.push(event);
            return;
        }
        let mut delays = vec![Duration::ZERO; usize::try_from(state.chaos.duplicates).unwrap_or(0)];
        match &mut state.chaos.chances {
            Some(chances) => delays.extend(chances.deliveries()),
            None => delays.push(Duration::ZERO),
        }
        state.sent += delays.len();
        delays
    };
    for delay in delays {
        tokio::spawn(deliver(razorpay.clone(), event.clone(), delay));
    }
}

/// Sends kept events, in this order of their places, or in that of their arrival.
pub(super) fn release(razorpay: &Razorpay, order: Option<Vec<usize>>) -> usize {
    let held = std::mem::take(&mut razorpay.state().held);
    let order = order.unwrap_or_else(|| (0..held.len()).collect());
    let wanted: Vec<Held> = order.iter().filter_map(|place| held.get(*place).cloned()).collect();
    let count = wanted.len();
    let razorpay = razorpay.clone();
    tokio::spawn(async move {
        for event in wanted {
            deliver(razorpay.clone(), event, Duration::ZERO).await;
        }
    });
    count
}

async fn deliver(razorpay: Razorpay, event: Held, delay: Duration) {
    tokio::time::sleep(delay).await;
    for delivery in 0..DELIVERIES {
        let fault = razorpay.state().chaos.webhook_fault;
        let status = post(&razorpay, &event, fault).await;
        razorpay.state().deliveries.push((event.event.clone(), status));
        if (200..300).contains(&status) {
            if fault == WebhookFault::OtherBody {
                let other = Held { body: event.body.replace("acc_", "ACC_"), ..event.clone() };
                let status = post(&razorpay, &other, WebhookFault::None).await;
                razorpay.state().deliveries.push((event.event, status));
            }
            return;
        }
        razorpay.wait(gap(delivery)).await;
    }
    razorpay.state().disabled_at = razorpay.now();
}

/// Posts an event; the status of the answer, 0 when there was none.
async fn post(razorpay: &Razorpay, event: &Held, fault: WebhookFault) -> u16 {
    let mut signature = match fault {
        WebhookFault::OldSecret => sign("sandbox_webhook_secret_0000", event.body.as_bytes()),
        _ => sign(&razorpay.options.webhook_secret, event.body.as_bytes()),
    };
    let mut body = event.body.clone();
    match fault {
        WebhookFault::WrongSignature => signature = signature.chars().rev().collect(),
        WebhookFault::Truncated => body = body.chars().take(body.chars().count() / 2).collect(),
        _ => {}
    }
    let request = razorpay
        .http
        .post(&razorpay.options.webhook_url)
        .header("content-type", "application/json")
        .header("user-agent", "Razorpay-Webhook/v1")
        .header("x-razorpay-signature", &signature)
        .header("x-razorpay-event-id", &event.id)
        .header("request-id", &event.id);
    request.body(body).send().await.map_or(0, |response| response.status().as_u16())
}

/// The time before the next delivery.
fn gap(delivery: u32) -> Duration {
    match delivery {
        0 => Duration::from_millis(230),
        later => Duration::from_secs(5 << (later - 1).min(13)),
    }
}
