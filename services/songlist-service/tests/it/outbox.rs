//! The relay of the outbox and the purge of old rows, tested with this service's schema.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use kit::Clock;
use kit::lifecycle::Shutdown;
use kit_pg::bootstrap::open;
use kit_pg::{Conn, Pool, Scope};
use outbox::{Lane, NewMessage, Relay, Wake};
use serde_json::json;
use songlist_service::MIGRATIONS;
use testkit::{TestDb, eventually, schema};

async fn emit(pool: &Pool, topic: &'static str, count: usize) {
    pool.transaction(Scope::Worker, async |conn: &mut Conn| {
        for _ in 0..count {
            let message = NewMessage {
                topic,
                tenant_id: None,
                aggregate_id: kit::ids::random(),
                version: 1,
                payload: json!({}),
                request_id: "test".to_owned(),
            };
            outbox::emit(conn, message).await?;
        }
        Ok(())
    })
    .await
    .unwrap();
}

async fn all_sent(db: &TestDb) {
    eventually("every message is sent", || async {
        (schema::count(db, "outbox WHERE state <> 'sent'").await.unwrap() == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_burst_is_sent_once_each_over_two_connections() {
    let db = TestDb::new("songlist", MIGRATIONS).await.unwrap();
    let mut config = db.config().unwrap();
    config.max_connections = 2;
    let (pool, wake, shutdown) = (Pool::new(&config, &[]), Wake::default(), Shutdown::new());
    emit(&pool, "premium.changed", 100).await;
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    Relay::new(pool.clone(), wake.clone(), Lane::All).start(&shutdown, move |_message| {
        let counter = counter.clone();
        async move {
            counter.fetch_add(1, Ordering::SeqCst);
            anyhow::Ok(())
        }
    });
    all_sent(&db).await;
    emit(&pool, "premium.changed", 1).await;
    wake.wake();
    all_sent(&db).await;
    assert_eq!(sent.load(Ordering::SeqCst), 101, "no message was sent twice");
    shutdown.stop();
    shutdown.finished(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_mail_server_that_hangs_holds_up_mail_alone() {
    const MAIL: &[&str] = &["mail.code"];
    let db = TestDb::new("songlist", MIGRATIONS).await.unwrap();
    let (pool, wake, shutdown) = (Pool::new(&db.config().unwrap(), &[]), Wake::default(), Shutdown::new());
    for lane in [Lane::Only(MAIL), Lane::AllBut(MAIL)] {
        Relay::new(pool.clone(), wake.clone(), lane).start(&shutdown, |message| async move {
            if message.topic == "mail.code" {
                std::future::pending::<()>().await;
            }
            anyhow::Ok(())
        });
    }
    emit(&pool, "mail.code", 40).await;
    emit(&pool, "revocation", 3).await;
    wake.wake();
    eventually("revocations are sent", || async {
        (schema::count(&db, "outbox WHERE topic = 'revocation' AND state = 'sent'").await.unwrap() == 3).then_some(())
    })
    .await;
    assert_eq!(schema::count(&db, "outbox WHERE topic = 'mail.code' AND state = 'sent'").await.unwrap(), 0);
    shutdown.hard.cancel();
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_until_it_works() {
    let db = TestDb::new("songlist", MIGRATIONS).await.unwrap();
    let (pool, shutdown) = (Pool::new(&db.config().unwrap(), &[]), Shutdown::new());
    emit(&pool, "premium.changed", 1).await;
    Relay::new(pool, Wake::default(), Lane::All).start(&shutdown, |message| async move {
        anyhow::ensure!(message.attempts >= 3, "not yet");
        Ok(())
    });
    all_sent(&db).await;
    assert_eq!(schema::count(&db, "outbox WHERE attempts = 3 AND last_error IS NULL").await.unwrap(), 1);
    shutdown.stop();
    shutdown.finished(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_purge_takes_old_rows_in_batches_and_leaves_young_ones() {
    let db = TestDb::new("songlist", MIGRATIONS).await.unwrap();
    let superuser = open(db.admin_url()).await.unwrap();
    let rows = |name: &str, count: u32, age: &str| {
        format!(
            "INSERT INTO {}.idempotency_keys (scope, key, request_hash, reply, created_at) \
             SELECT '{name}', n::text, '', '{{}}', now() - interval '{age}' FROM generate_series(1, {count}) n",
            db.schema
        )
    };
    superuser.batch_execute(&rows("old", 2_500, "25 hours")).await.unwrap();
    superuser.batch_execute(&rows("young", 3, "23 hours")).await.unwrap();
    let pool = Pool::new(&db.config().unwrap(), &[]);
    let missing = kit_pg::OldRows { table: "no_such_table", condition: "created_at < $1" };
    let day = chrono::Duration::hours(24);
    let ages = [(missing, day), (kit_pg::OLD_KEYS, day)];
    assert!(kit_pg::purge(&pool, &ages, Clock::system().now()).await.is_err());
    assert_eq!(
        schema::count(&db, "idempotency_keys").await.unwrap(),
        3,
        "one that fails keeps no other from being purged"
    );
    let report = kit_pg::purge(&pool, &ages[1..], Clock::system().now()).await.unwrap();
    assert_eq!(report, "idempotency_keys 0");
}

#[tokio::test]
async fn rf_07_as_soon_as_one_message_gets_through_those_that_wait_are_tried_too() {
    let db = TestDb::new("songlist", MIGRATIONS).await.unwrap();
    let pool = Pool::new(&db.config().unwrap(), &[]);
    let (wake, shutdown, is_down) = (Wake::default(), Shutdown::new(), Arc::new(AtomicBool::new(true)));
    emit(&pool, "mail", 12).await;
    let receiver = is_down.clone();
    Relay::new(pool.clone(), wake.clone(), Lane::All).start(&shutdown, move |_message| {
        let is_down = receiver.load(Ordering::SeqCst);
        async move { if is_down { Err(anyhow::anyhow!("refused")) } else { Ok(()) } }
    });
    eventually("every message was refused", || async {
        (schema::count(&db, "outbox WHERE last_error IS NOT NULL").await.unwrap() == 12).then_some(())
    })
    .await;
    // As after a long outage: the next attempts are minutes away.
    let superuser = open(db.admin_url()).await.unwrap();
    let far = format!(
        "UPDATE {}.outbox SET next_attempt_at = now() + interval '5 minutes' WHERE last_error IS NOT NULL",
        db.schema
    );
    eventually("all wait for long", || async {
        superuser.execute(&far, &[]).await.unwrap();
        let waiting = "outbox WHERE next_attempt_at > now() + interval '4 minutes'";
        (schema::count(&db, waiting).await.unwrap() == 12).then_some(())
    })
    .await;
    is_down.store(false, Ordering::SeqCst);
    emit(&pool, "mail", 1).await;
    wake.wake();
    all_sent(&db).await;
    shutdown.stop();
}

#[tokio::test]
async fn rf_07_a_receiver_that_is_up_hurries_no_message_of_another_topic() {
    let db = TestDb::new("songlist", MIGRATIONS).await.unwrap();
    let pool = Pool::new(&db.config().unwrap(), &[]);
    let (wake, shutdown) = (Wake::default(), Shutdown::new());
    emit(&pool, "user.operations", 1).await;
    Relay::new(pool.clone(), wake.clone(), Lane::All).start(&shutdown, |message| async move {
        // Redis is down for a moment; the peer stays down.
        anyhow::ensure!(message.topic == "revocation" && message.attempts > 1, "the receiver is down");
        Ok(())
    });
    let waits = "outbox WHERE topic = 'user.operations' AND attempts >= 4 AND last_error IS NOT NULL";
    eventually("it waits", || async { (schema::count(&db, waits).await.unwrap() == 1).then_some(()) }).await;
    let superuser = open(db.admin_url()).await.unwrap();
    let far = format!("UPDATE {}.outbox SET next_attempt_at = now() + interval '5 minutes'", db.schema);
    superuser.execute(&far, &[]).await.unwrap();
    emit(&pool, "revocation", 20).await;
    wake.wake();
    eventually("the others are sent", || async {
        (schema::count(&db, "outbox WHERE state = 'sent'").await.unwrap() == 20).then_some(())
    })
    .await;
    let still = "outbox WHERE topic = 'user.operations' AND next_attempt_at > now() + interval '4 minutes'";
    assert_eq!(schema::count(&db, still).await.unwrap(), 1, "its own back-off goes on");
    shutdown.stop();
}

#[tokio::test]
async fn a_message_is_given_up_after_a_week_and_not_before_however_often_it_was_tried() {
    let db = TestDb::new("songlist", MIGRATIONS).await.unwrap();
    let pool = Pool::new(&db.config().unwrap(), &[]);
    let (wake, shutdown) = (Wake::default(), Shutdown::new());
    emit(&pool, "old", 1).await;
    emit(&pool, "young", 1).await;
    let superuser = open(db.admin_url()).await.unwrap();
    let set = async |what: &str| {
        superuser.execute(&format!("UPDATE {}.outbox SET {what}", db.schema), &[]).await.unwrap();
    };
    set("attempts = 5000").await;
    set("created_at = now() - interval '8 days' WHERE topic = 'old'").await;
    Relay::new(pool, wake, Lane::All).start(&shutdown, |_message| async { Err(anyhow::anyhow!("the peer is down")) });
    for (topic, state) in [("old", "dead"), ("young", "pending")] {
        let row = format!("outbox WHERE topic = '{topic}' AND state = '{state}' AND last_error IS NOT NULL");
        eventually(topic, || async { (schema::count(&db, &row).await.unwrap() == 1).then_some(()) }).await;
    }
    shutdown.stop();
}
