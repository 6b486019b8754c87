//! Random lives of payments, compared with what really happened at Razorpay.

use std::time::Duration;

use kit::caller::Caller;
use kit::ids::TenantId;
use kit_pg::bootstrap::open;
use proto::payments::{Payment, PaymentStatus};
use serde_json::{Value, json};
use testkit::caller::admin;

use crate::service::Payments;

/// One tenant and its links, the newest last.
struct Life {
    boss: Caller,
    links: Vec<Payment>,
}

/// One thing that happens, chosen by chance.
async fn happen(payments: &Payments, life: &mut Life, random: &mut fastrand::Rng) {
    let newest = life.links.last().cloned();
    match (random.u8(0..13), newest) {
        (0..=2, _) | (_, None) => {
            if let Ok(made) = payments.try_create_link(&life.boss).await {
                let link = made.payment.unwrap();
                if life.links.iter().all(|known| known.id != link.id) {
                    life.links.push(link);
                }
            }
        }
        (3 | 4, Some(link)) => payments.try_pay(&link, "success").await,
        (5, Some(link)) => payments.try_pay(&link, "failure").await,
        (6, _) => {
            let chaos = json!({ "drop_webhooks": random.bool(), "duplicates": random.u8(0..3) });
            payments.razorpay("/sandbox/chaos", chaos).await;
        }
        (7, _) => {
            let failure = json!({ "status": 502, "commit": random.bool() });
            payments.razorpay("/sandbox/chaos", json!({ "failures": [failure] })).await;
        }
        (8, _) => payments.clock.advance(Duration::from_secs(random.u64(1..2_000))),
        (9, _) if random.bool() => {
            payments.poll().await;
        }
        // What is under way ends where it is, webhooks too.
        (10, Some(link)) if random.u8(0..3) == 0 => {
            let (what, moment) = (random.u8(0..3), Duration::from_millis(random.u64(0..40)));
            let cut_off = async {
                match what {
                    0 => drop(payments.try_create_link(&life.boss).await),
                    1 => drop(payments.try_run("payments.poll_pending").await),
                    _ => drop(payments.refund(&link.id).await),
                }
            };
            let crash = async {
                tokio::time::sleep(moment).await;
                payments.crash().await;
            };
            tokio::join!(cut_off, crash);
        }
        (_, Some(link)) => {
            let truth = payments.truth().await;
            let captured = captured_of(&truth, &link);
            let path = captured.map(|id| format!("/sandbox/payments/{id}/refund"));
            if let Some(path) = path.filter(|_| random.u8(0..3) == 0) {
                payments.try_razorpay(&path, json!({ "status": "processed" })).await;
            }
        }
    }
}

/// What Razorpay knows about a link.
fn of_link<'a>(truth: &'a Value, link: &Payment) -> Option<&'a Value> {
    let links = truth.get("links").and_then(Value::as_array)?;
    links.iter().find(|known| known.get("id").and_then(Value::as_str) == Some(&link.razorpay_payment_link_id))
}

fn captured_of(truth: &Value, link: &Payment) -> Option<String> {
    let tries = of_link(truth, link)?.get("payments").and_then(Value::as_array)?;
    let is_captured = |one: &&Value| one.get("status").and_then(Value::as_str) == Some("captured");
    tries.iter().find(is_captured)?.get("id").and_then(Value::as_str).map(str::to_owned)
}

/// The money of a link that is at Razorpay now.
fn money(truth: &Value, link: &Payment) -> i64 {
    let number = |name: &str| of_link(truth, link).and_then(|link| link.get(name)).and_then(Value::as_i64).unwrap_or(0);
    number("captured") - number("refunded")
}

/// Tenants whose lives run through each other in one world.
const TENANTS: usize = 25;

async fn live(seed: u64) {
    let payments = Payments::start().await;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut lives: Vec<Life> = (0..TENANTS).map(|_| Life { boss: admin(TenantId::new()), links: Vec::new() }).collect();
    for _ in 0..TENANTS * 8 {
        let place = random.usize(0..lives.len());
        happen(&payments, lives.get_mut(place).unwrap(), &mut random).await;
    }
    payments.check_books().await;
    // Everybody answers again. What was lost is found by the poll.
    payments.razorpay("/sandbox/chaos", json!({ "drop_webhooks": false, "duplicates": 0, "failures": [] })).await;
    // Also by the database's clock: what a process has claimed that has crashed is claimed again.
    let claims =
        format!("UPDATE {}.webhook_events SET next_attempt_at = now() WHERE state = 'pending'", payments.db.schema);
    open(payments.db.admin_url()).await.unwrap().batch_execute(&claims).await.unwrap();
    payments.all_applied().await;
    for _ in 0..2 {
        payments.poll_later(2 * 24 * 60).await;
    }
    payments.all_applied().await;
    let truth = payments.truth().await;
    for life in &lives {
        let mut active = 0;
        for link in &life.links {
            let now = payments.get(&life.boss, &link.id).await;
            let here = money(&truth, link);
            let expected = match now.status() {
                PaymentStatus::Activated => here == now.amount_minor && now.refund_due_minor == 0,
                PaymentStatus::Verified => here == now.amount_minor && now.refund_due_minor == here,
                PaymentStatus::Refunded => here == 0 && now.refunded_minor == now.amount_minor,
                PaymentStatus::Failed | PaymentStatus::Pending => captured_of(&truth, link).is_none(),
                _ => false,
            };
            assert!(expected, "seed {seed}: {now:?} {here}");
            active += usize::from(now.status() == PaymentStatus::Activated);
        }
        // Money that did not give premium, because other money had, goes back: it does not give it later.
        assert_eq!(active, usize::from(payments.is_premium(&life.boss).await), "seed {seed}: {truth}");
    }
    payments.check_books().await;
    let receipts =
        "payments p WHERE status = 'ACTIVATED' AND NOT EXISTS (SELECT FROM %.receipts WHERE payment_id = p.id)";
    assert_eq!(payments.count(&receipts.replace('%', &payments.db.schema)).await, 0, "each has its receipt");
}

/// Defines tests, each with a hundred and twenty-five lives: they run beside each other.
macro_rules! lives {
    ($($name:ident from $seed:literal,)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                for seed in $seed..$seed + 5 {
                    live(seed).await;
                }
            }
        )*
    };
}

lives! {
    case_66_after_random_lives_with_crashes_the_service_knows_what_really_happened_1_of_8 from 0,
    case_66_after_random_lives_with_crashes_the_service_knows_what_really_happened_2_of_8 from 5,
    case_66_after_random_lives_with_crashes_the_service_knows_what_really_happened_3_of_8 from 10,
    case_66_after_random_lives_with_crashes_the_service_knows_what_really_happened_4_of_8 from 15,
    case_66_after_random_lives_with_crashes_the_service_knows_what_really_happened_5_of_8 from 20,
    case_66_after_random_lives_with_crashes_the_service_knows_what_really_happened_6_of_8 from 25,
    case_66_after_random_lives_with_crashes_the_service_knows_what_really_happened_7_of_8 from 30,
    case_66_after_random_lives_with_crashes_the_service_knows_what_really_happened_8_of_8 from 35,
}
