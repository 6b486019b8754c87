use kit::Clock;
use testkit::eventually;

use crate::replica::{Client, READ, Replica};

#[tokio::test]
async fn rf_06_a_replica_whose_clock_is_wrong_refuses_calls_and_is_not_ready() {
    let wrong = Replica::start_with(Clock::wrong_by(60)).await;
    let right = Replica::start().await;
    let reference = || async { Some(Clock::system().now()) };
    for (replica, clock) in [(&wrong, Clock::wrong_by(60)), (&right, Clock::system())] {
        kit::clock_offset::watch(&replica.health, &clock, &replica.keys, &replica.shutdown, reference);
    }
    let replicas = [wrong, right];
    let client = Client::direct(&replicas);
    client.knows(2).await;
    assert!(replicas[0].health.ready(), "the reference may be the one that is wrong");
    for _ in 0..4 {
        assert!(client.call(READ).await, "the other replica answers");
    }
    assert!(client.metrics.render().contains("own_assertion_refused"), "the caller's side tells it too");
    eventually("it is not ready", || async { (!replicas[0].health.ready()).then_some(()) }).await;
    client.knows(1).await;
    assert!(replicas[1].health.ready());
}

#[tokio::test]
async fn rf_06_a_clock_that_is_half_a_minute_off_is_no_reason_to_stop() {
    let replica = Replica::start_with(Clock::wrong_by(25)).await;
    let client = Client::direct(std::slice::from_ref(&replica));
    assert!(client.call(READ).await);
    assert!(replica.health.ready());
}
