//! The clock as a parameter: tests use a mock clock that they can move, everything else the system clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};

/// A handle to the system clock or to a mock clock; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Microseconds ahead of the system clock.
    offset: Option<Arc<AtomicI64>>,
    mock: bool,
}

impl Clock {
    /// The system clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// The system clock plus an offset, which [`Clock::advance`] increases; clones share the offset.
    pub fn movable() -> Self {
        Self { offset: Some(Arc::default()), mock: true }
    }

    /// The clock of a machine that is wrong by so many seconds, for tests of what that does.
    pub fn wrong_by(seconds: i64) -> Self {
        Self { offset: Some(Arc::new(AtomicI64::new(seconds.saturating_mul(1_000_000)))), mock: false }
    }

    /// True when the clock is moved on purpose, so that it says nothing about the machine's.
    pub fn is_mock(&self) -> bool {
        self.mock
    }

    /// The current time in UTC with microseconds, the precision that Postgres stores and the API shows.
    pub fn now(&self) -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
        let now = Utc::now();
        let micros = now.timestamp_micros() + self.offset.as_ref().map_or(0, |offset| offset.load(Ordering::Relaxed));
        DateTime::from_timestamp_micros(micros).unwrap_or(now)
    }

    /// How far a movable clock is ahead of the system clock.
    pub fn ahead(&self) -> Duration {
        let micros = self.offset.as_ref().map_or(0, |offset| offset.load(Ordering::Relaxed));
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    /// Moves a movable clock forward; does nothing to the system clock.
    pub fn advance(&self, by: Duration) {
        if let Some(offset) = &self.offset {
            offset.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::Relaxed);
        }
    }
}
