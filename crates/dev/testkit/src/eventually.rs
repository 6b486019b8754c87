use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long a condition may take to come true.
const BUDGET: Duration = Duration::from_secs(10);

/// Asks again and again until the answer is `Some`; the one alternative to sleeping in a test.
///
/// # Panics
/// When it did not come true in time; `what` says what was awaited.
#[expect(clippy::panic, reason = "this fails the test that called it")]
pub async fn eventually<T, F, Fut>(what: &str, mut ask: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + BUDGET;
    loop {
        if let Some(value) = ask().await {
            return value;
        }
        if Instant::now() > deadline {
            panic!("not within {BUDGET:?}: {what}");
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Like [`eventually`] for something that fails until it is there.
///
/// # Panics
/// When it did not succeed in time.
pub async fn eventually_ok<T, E, F, Fut>(what: &str, mut ask: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    eventually(what, || {
        let answer = ask();
        async move { answer.await.ok() }
    })
    .await
}
