use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use testkit::caller;

use crate::replica::{Client, READ, Replica, WRITE};

async fn replicas(count: usize) -> (Vec<Replica>, Client) {
    let mut started = Vec::new();
    for _ in 0..count {
        started.push(Replica::start().await);
    }
    let client = Client::through_links(&started);
    client.knows(count).await;
    (started, client)
}

/// Calls a method every five milliseconds for so long; when each call that failed had begun.
async fn failures(client: &Client, method: &'static str, time: Duration) -> Vec<Duration> {
    let (began, mut calls) = (Instant::now(), tokio::task::JoinSet::new());
    let mut pace = tokio::time::interval(Duration::from_millis(5));
    while began.elapsed() < time {
        let (at, client) = (began.elapsed(), client.clone());
        calls.spawn(async move { (at, client.call(method).await) });
        pace.tick().await;
    }
    let ended = calls.join_all().await;
    ended.into_iter().filter(|(_, succeeded)| !succeeded).map(|(at, _)| at).collect()
}

#[tokio::test]
async fn rf_01_calls_go_round_so_that_each_replica_gets_its_share() {
    let (replicas, client) = replicas(3).await;
    for _ in 0..300 {
        assert!(client.call(READ).await);
    }
    for replica in &replicas {
        assert!((90..=110).contains(&replica.calls()), "{}", replica.calls());
    }
}

#[tokio::test]
async fn rf_01_and_fault_20_a_frozen_replica_is_left_within_two_seconds_and_taken_back() {
    let (replicas, client) = replicas(2).await;
    replicas[1].link.freeze();
    assert_eq!(
        failures(&client, READ, Duration::from_secs(4)).await,
        Vec::<Duration>::new(),
        "reads are tried elsewhere"
    );
    let metrics = client.metrics.render();
    assert!(metrics.contains("events_total{event=\"replica_left\"} 1"), "{metrics}");
    let before = replicas[1].calls();
    replicas[1].link.mend();
    client.knows(2).await;
    for _ in 0..100 {
        assert!(client.call(READ).await);
    }
    assert!(replicas[1].calls() - before >= 40, "it has its share again");
}

#[tokio::test]
async fn rf_01_writes_to_a_frozen_replica_fail_for_less_than_two_seconds() {
    let (replicas, client) = replicas(2).await;
    replicas[1].link.freeze();
    let failed = failures(&client, WRITE, Duration::from_secs(4)).await;
    assert!(failed.len() <= 20, "few are sent to it while it does not answer: {failed:?}");
    assert!(failed.iter().all(|at| *at < Duration::from_secs(2)), "{failed:?}");
}

#[tokio::test]
async fn a_replica_that_dies_costs_no_call_whose_repetition_is_safe() {
    let (replicas, client) = replicas(2).await;
    let dies = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        replicas[0].link.refuse();
    };
    let (failed, ()) = tokio::join!(failures(&client, READ, Duration::from_secs(2)), dies);
    assert_eq!(failed, Vec::<Duration>::new());
}

/// Makes sixty calls and lets this one of two replicas end the thirty that it has; how many succeeded.
async fn succeeded(replica: &Replica, client: &Client, end: impl FnOnce(&Replica)) -> usize {
    replica.silent.send_replace(true);
    let before = replica.calls();
    let calls: tokio::task::JoinSet<bool> = (0..60)
        .map(|_| {
            let client = client.clone();
            async move { client.call(READ).await }
        })
        .collect();
    testkit::eventually("half of them wait", async || (replica.calls() >= before + 30).then_some(())).await;
    end(replica);
    calls.join_all().await.into_iter().filter(|succeeded| *succeeded).count()
}

#[tokio::test]
async fn all_calls_that_are_under_way_when_a_replica_dies_are_tried_elsewhere() {
    let (replicas, client) = replicas(2).await;
    assert_eq!(succeeded(&replicas[0], &client, |replica| replica.link.refuse()).await, 60);
    assert_eq!(replicas[1].calls(), 60);
}

#[tokio::test]
async fn fault_19_calls_that_break_off_one_by_one_spend_the_budget() {
    let (replicas, client) = replicas(2).await;
    let break_off = |replica: &Replica| {
        replica.torn.store(true, Ordering::Relaxed);
        replica.silent.send_replace(false);
    };
    let succeeded = succeeded(&replicas[0], &client, break_off).await;
    assert!((34..40).contains(&succeeded), "four of thirty are repeated, or some more: {succeeded}");
}

#[tokio::test]
async fn fault_19_calls_that_are_lost_together_are_not_repeated_when_the_budget_is_spent() {
    let (replicas, client) = replicas(2).await;
    let be_sick = |sick| replicas.iter().for_each(|replica| replica.sick.store(sick, Ordering::Relaxed));
    be_sick(true);
    for _ in 0..12 {
        assert!(!client.call(READ).await);
    }
    be_sick(false);
    let before = replicas[1].calls();
    assert_eq!(succeeded(&replicas[0], &client, |replica| replica.link.refuse()).await, 30);
    assert_eq!(replicas[1].calls() - before, 30);
}

#[tokio::test]
async fn a_replica_that_leaves_costs_no_call_at_all() {
    let (replicas, _) = replicas(2).await;
    let client = Client::direct(&replicas);
    client.knows(2).await;
    let leaves = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        replicas[0].shutdown.stop();
        replicas[0].shutdown.finished(Duration::from_secs(5)).await;
    };
    let (failed, ()) = tokio::join!(failures(&client, WRITE, Duration::from_secs(3)), leaves);
    assert_eq!(failed, Vec::<Duration>::new(), "GOAWAY says which calls were not begun, and the others are finished");
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_again_unless_it_is_keyed() {
    let (replicas, client) = replicas(2).await;
    for replica in &replicas {
        replica.sick.store(true, Ordering::Relaxed);
    }
    let calls = || replicas.iter().map(Replica::calls).sum::<usize>();
    assert!(!client.call(WRITE).await);
    assert_eq!(calls(), 1, "an answer to a change is an answer");
    assert!(!client.call(READ).await);
    assert_eq!(calls(), 3, "a read is tried at the other replica, and not at the first one again");
    let keyed = caller::repeatable(&kit::caller::Caller::system("gateway"), "key");
    assert!(!client.call_as(WRITE, keyed).await);
    assert_eq!(calls(), 4, "also to a change with an idempotency key");
}

#[tokio::test]
async fn fault_19_a_sick_service_gets_no_more_calls_than_a_healthy_one() {
    let (replicas, client) = replicas(2).await;
    for (n, call) in (0..1_000).enumerate() {
        for replica in &replicas {
            replica.sick.store(call % 2 == 0, Ordering::Relaxed);
        }
        assert!(client.call(READ).await || n % 2 == 0);
    }
    let calls = replicas.iter().map(Replica::calls).sum::<usize>();
    assert!((1_000..1_100).contains(&calls), "{calls}");
}

#[tokio::test]
async fn rf_09_a_replica_that_says_it_does_not_serve_gets_no_calls() {
    let (replicas, client) = replicas(2).await;
    replicas[0].health.own("postgres");
    client.knows(1).await;
    let before = replicas[0].calls();
    for _ in 0..50 {
        assert!(client.call(READ).await);
    }
    assert_eq!(replicas[0].calls(), before);
    replicas[0].health.seen("postgres", true);
    client.knows(2).await;
    replicas[0].health.own("postgres");
    replicas[1].health.own("postgres");
    client.knows(0).await;
    assert!(client.call(READ).await, "when none serves any may be better than nothing");
}

#[tokio::test]
async fn a_replica_whose_calls_fail_while_those_of_others_do_not_is_left() {
    let (replicas, client) = replicas(2).await;
    replicas[0].sick.store(true, Ordering::Relaxed);
    for _ in 0..30 {
        client.call(WRITE).await;
    }
    assert!(replicas[0].calls() <= 7, "{}", replicas[0].calls());
    assert!(client.metrics.render().contains("replica_left"));
}

#[tokio::test]
async fn fault_41_a_name_that_stands_for_other_addresses_is_followed_without_a_restart() {
    let (first, second) = (Replica::start().await, Replica::start().await);
    let addresses = Arc::new(Mutex::new(Vec::new()));
    let client = Client::by_name(&addresses);
    *addresses.lock().unwrap() = vec![first.addr];
    assert!(client.call(READ).await && first.calls() > 0);
    *addresses.lock().unwrap() = vec![first.addr, second.addr];
    client.knows(2).await;
    *addresses.lock().unwrap() = vec![second.addr];
    client.knows(1).await;
    let before = (first.calls(), second.calls());
    for _ in 0..10 {
        assert!(client.call(READ).await);
    }
    assert_eq!((first.calls(), second.calls()), (before.0, before.1 + 10));
    let metrics = client.metrics.render();
    assert!(!metrics.contains(&first.addr.to_string()), "what has gone leaves nothing behind: {metrics}");
}

#[tokio::test]
async fn a_replica_that_is_back_but_not_known_to_be_is_asked_when_the_other_one_has_gone() {
    let (replicas, _) = replicas(2).await;
    let client = Client::at(&[replicas[0].link.addr(), replicas[1].addr]);
    client.knows(2).await;
    replicas[1].shutdown.stop();
    replicas[1].shutdown.finished(Duration::from_secs(5)).await;
    replicas[0].link.refuse();
    client.knows(0).await;
    replicas[0].link.mend();
    for _ in 0..20 {
        assert!(client.call(WRITE).await, "nobody listens at the other one any more");
    }
}

#[tokio::test]
async fn fault_18_and_fault_20_no_call_takes_longer_than_its_budget_when_nobody_answers() {
    let (replicas, client) = replicas(2).await;
    for replica in &replicas {
        replica.link.freeze();
    }
    let began = Instant::now();
    let calls = (0..40).map(|_| client.call(READ));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(|succeeded| !succeeded));
    assert!(began.elapsed() < Duration::from_millis(2_500), "{:?}", began.elapsed());
}
