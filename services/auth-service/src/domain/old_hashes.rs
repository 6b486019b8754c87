//! While there are slow hashes of the earlier system, every password takes as long as one of them: the time would tell
//! whose hash it is, and so that the account exists.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kit::lifecycle::Shutdown;
use kit_pg::{Conn, Scope};

use crate::App;
use crate::store::users;

/// The longest that a comparison is held back: whatever one hash took on a busy machine, sign-ins go on.
const MAX_FLOOR: Duration = Duration::from_millis(800);
/// How often it is looked whether there are such hashes, and measured how long one takes now.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// A hash with the rounds of Django 6.0, the most that is verified, of a password that nobody knows: computed to learn how long
/// one takes here.
const SAMPLE: &str = "pbkdf2_sha256$1200000$ySDe5zMqulPpMtcU$CQHt/K1JdvLMhaOrXDAOFPHrQTMqk+z9buB9Zs7BwI0=";

/// How long a password takes.
#[derive(Debug, Default)]
pub(crate) struct Floor {
    exist: AtomicBool,
    /// The slowest one since the last look, in microseconds.
    slowest: AtomicU64,
}

impl Floor {
    /// Learns from a hash of the earlier system.
    pub(super) fn took(&self, time: Duration) {
        let micros = u64::try_from(time.min(MAX_FLOOR).as_micros()).unwrap_or(u64::MAX);
        self.slowest.fetch_max(micros, Ordering::Relaxed);
    }

    /// Waits until a comparison that began then has taken as long as one with an old hash.
    pub(super) async fn reach(&self, began: Instant) {
        if self.exist.load(Ordering::Relaxed) {
            let slowest = Duration::from_micros(self.slowest.load(Ordering::Relaxed));
            tokio::time::sleep(slowest.saturating_sub(began.elapsed())).await;
        }
    }

    /// Begins anew with the time of a sample: a slow moment is forgotten.
    fn begin_with(&self, exist: bool, sample: Duration) {
        let micros = u64::try_from(sample.min(MAX_FLOOR).as_micros()).unwrap_or(u64::MAX);
        self.slowest.store(micros, Ordering::Relaxed);
        self.exist.store(exist, Ordering::Relaxed);
    }
}

/// Looks every minute whether there are hashes of the earlier system.
pub(crate) fn watch(app: &App, shutdown: &Shutdown) {
    let app = app.clone();
    shutdown.every("old-hashes", LOOK_AGAIN, move || {
        let app = app.clone();
        async move {
            if let Err(error) = look(&app).await {
                tracing::warn!(%error, "it is not known whether there are old hashes");
            }
        }
    });
}

async fn look(app: &App) -> kit::Result<()> {
    let exist = app.pg.read(Scope::Worker, async |conn: &Conn| users::old_hashes_exist(conn).await).await?;
    let sample = match exist {
        true => app.hasher.time_of(app.hasher.turn(None)?, SAMPLE).await?,
        false => Duration::ZERO,
    };
    app.hasher.floor().begin_with(exist, sample);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_comparison_is_never_held_back_for_long_and_a_slow_moment_is_forgotten() {
        let floor = Floor::default();
        floor.begin_with(true, Duration::from_millis(10));
        floor.took(Duration::from_secs(60));
        assert_eq!(floor.slowest.load(Ordering::Relaxed), 800_000);
        floor.begin_with(true, Duration::from_millis(10));
        assert_eq!(floor.slowest.load(Ordering::Relaxed), 10_000);
        let began = Instant::now();
        floor.reach(began).await;
        assert!(began.elapsed() >= Duration::from_millis(10));
    }
}
