use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kit::Error;

/// How long background work, which has no deadline, waits for a connection.
const WITHOUT_DEADLINE: Duration = Duration::from_secs(5);
/// Waiters per connection beyond which requests are refused, whatever the estimate is.
const MOST_PER_CONNECTION: usize = 64;

/// Who waits for a connection, and how long connections are held: enough to refuse at once what could not be served in time.
#[derive(Clone, Debug)]
pub(crate) struct Waiting(Arc<State>);

#[derive(Debug)]
struct State {
    connections: usize,
    waiting: AtomicUsize,
    /// Microseconds a connection is held, a moving average.
    held: AtomicU64,
}

/// A place among the waiters; given up when dropped.
pub(crate) struct Place(Arc<State>);

/// Measures how long a connection is held.
pub(crate) struct Held {
    state: Arc<State>,
    since: Instant,
}

impl Waiting {
    pub(crate) fn new(connections: u32) -> Self {
        let connections = usize::try_from(connections).unwrap_or(1).max(1);
        Self(Arc::new(State { connections, waiting: AtomicUsize::new(0), held: AtomicU64::new(1_000) }))
    }

    /// What a request may spend waiting: all that is left of its deadline.
    pub(crate) fn budget() -> Duration {
        kit::deadline::remaining().unwrap_or(WITHOUT_DEADLINE)
    }

    /// Takes a place.
    ///
    /// # Errors
    /// `Unavailable` when the connections could not serve it within `budget`.
    pub(crate) fn enter(&self, budget: Duration) -> Result<Place, Error> {
        let state = &self.0;
        let before = state.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Place(state.clone());
        let rounds = u64::try_from(before / state.connections).unwrap_or(u64::MAX);
        let expected = Duration::from_micros(rounds.saturating_mul(state.held.load(Ordering::Relaxed)));
        if before >= state.connections * MOST_PER_CONNECTION || expected > budget {
            return Err(Error::unavailable(anyhow::anyhow!("{before} requests wait for a database connection")));
        }
        Ok(place)
    }

    /// Notes that a connection was taken.
    pub(crate) fn held(&self) -> Held {
        Held { state: self.0.clone(), since: Instant::now() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let now = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        // Two threads may lose one another's sample, which an average can bear.
        let average = self.state.held.load(Ordering::Relaxed);
        self.state.held.store(average - average / 8 + now / 8, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_that_could_not_be_served_in_time_is_refused_at_once() {
        let waiting = Waiting::new(2);
        let second = Duration::from_secs(1);
        waiting.0.held.store(400_000, Ordering::Relaxed);
        let places: Vec<_> = (0..6).map(|_| waiting.enter(second).unwrap()).collect();
        assert!(waiting.enter(second).is_err(), "three rounds of 0.4 s do not fit into a second");
        assert!(waiting.enter(second * 2).is_ok());
        drop(places);
        assert!(waiting.enter(second).is_ok(), "places are given up");
    }

    #[test]
    fn the_number_of_waiters_is_bounded_however_long_they_may_wait() {
        let waiting = Waiting::new(1);
        waiting.0.held.store(0, Ordering::Relaxed);
        let long = Duration::from_secs(3_600);
        let places: Vec<_> = (0..MOST_PER_CONNECTION).map(|_| waiting.enter(long).unwrap()).collect();
        assert!(waiting.enter(long).is_err());
        drop(places);
    }
}
