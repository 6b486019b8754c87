use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long a condition may take to come true.
const BUDGET: Duration = Duration::from_secs(10);

/// Calls `ask` until it returns `Some`. Tests wait with this and never sleep.
///
/// # Panics
/// When it did not return `Some` in time; `what` is in the message.
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

/// Like [`eventually`], for a call that returns an error until it succeeds.
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
