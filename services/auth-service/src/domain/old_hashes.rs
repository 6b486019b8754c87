//! While there are slow hashes of the earlier system, every password takes as long as one of them: the time would tell
//! whose hash it is, and so that the account exists.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kit::Secret;
use kit::lifecycle::Shutdown;
use kit_pg::{Conn, Scope};

use crate::App;
use crate::store::users;

/// How often it is looked whether there are such hashes.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// A hash as Django 5.2 makes them, of a password that nobody knows: computed once to learn how long one takes here.
const SAMPLE: &str = "pbkdf2_sha256$1000000$ySDe5zMqulPpMtcU$CQHt/K1JdvLMhaOrXDAOFPHrQTMqk+z9buB9Zs7BwI0=";

/// How long a password takes.
#[derive(Debug, Default)]
pub(crate) struct Floor {
    exist: AtomicBool,
    /// The slowest of the last ones, in microseconds; it shrinks slowly.
    slowest: AtomicU64,
}

impl Floor {
    /// Learns from a hash of the earlier system.
    pub(super) fn took(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let last = self.slowest.load(Ordering::Relaxed);
        self.slowest.store(micros.max(last - last / 64), Ordering::Relaxed);
    }

    /// Waits until a comparison that began then has taken as long as one with an old hash.
    pub(super) async fn reach(&self, began: Instant) {
        if self.exist.load(Ordering::Relaxed) {
            let slowest = Duration::from_micros(self.slowest.load(Ordering::Relaxed));
            tokio::time::sleep(slowest.saturating_sub(began.elapsed())).await;
        }
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
    let floor = app.hasher.floor();
    if exist && floor.slowest.load(Ordering::Relaxed) == 0 {
        app.hasher.verify(app.hasher.turn(None)?, &Secret::new("nobody's password"), Some(SAMPLE)).await?;
    }
    floor.exist.store(exist, Ordering::Relaxed);
    Ok(())
}
