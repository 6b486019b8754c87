//! Whether this machine's clock can be used: services refuse each other's calls when their clocks are 30 s apart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::Clock;
use crate::assertion::KeyRing;
use crate::health::Health;
use crate::lifecycle::Shutdown;

/// The name of the part in `/readyz`.
const PART: &str = "clock";
/// How often the clock is compared.
const EVERY: Duration = Duration::from_secs(2);
/// Two services that are each less than this apart from the same reference accept each other's calls.
const MOST_SECS: i64 = 15;

/// Compares the clock with `reference`, the time of the server that all replicas share, every two seconds. The service is not
/// ready while they are more than 15 s apart and calls are refused for it. Without refused calls it is only an alarm: the
/// reference may be the one that is wrong, and must not stop everything.
pub fn watch<F, Fut>(health: &Health, clock: &Clock, keys: &KeyRing, shutdown: &Shutdown, mut reference: F)
where
    F: FnMut() -> Fut + Send + 'static,
    Fut: Future<Output = Option<DateTime<Utc>>> + Send + 'static,
{
    if clock.is_mock() {
        return;
    }
    let (health, clock, keys) = (health.clone(), clock.clone(), keys.clone());
    health.own(PART);
    health.seen(PART, true);
    let refused = Arc::new(AtomicBool::new(false));
    shutdown.every("clock", EVERY, move || {
        let (asked, health, clock, keys) = (reference(), health.clone(), clock.clone(), keys.clone());
        let refused = refused.clone();
        async move {
            let before = clock.now();
            let Some(there) = asked.await else { return };
            // The answer was made at some moment between question and now.
            let apart = (before - there).num_seconds().abs().min((clock.now() - there).num_seconds().abs());
            if apart <= MOST_SECS {
                refused.store(false, Ordering::Relaxed);
                health.seen(PART, true);
                return;
            }
            if keys.clocks_disagree() {
                refused.store(true, Ordering::Relaxed);
            }
            tracing::error!(
                alarm = "clock_off",
                seconds = (before - there).num_seconds(),
                "the clock of this machine and that of the shared server are apart; run NTP on both"
            );
            if refused.load(Ordering::Relaxed) {
                health.seen(PART, false);
            }
        }
    });
}
