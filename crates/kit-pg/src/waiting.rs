use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kit::Error;

/// How long background work, which has no deadline, waits for a connection.
const WITHOUT_DEADLINE: Duration = Duration::from_secs(5);
/// Waiters per connection beyond which requests are refused, whatever the estimate is.
const MOST_PER_CONNECTION: usize = 64;

/// The number of requests that wait for a connection and the time for which connections are held. From these follows
/// whether a request could be served in time; if not, it is refused at once.
#[derive(Clone, Debug)]
pub(crate) struct Waiting(Arc<State>);

#[derive(Debug)]
struct State {
    connections: usize,
    waiting: AtomicUsize,
    /// How long a connection is held: a moving average in microseconds.
    held: AtomicU64,
}

/// Counts a request as waiting until it is dropped.
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

    /// How long a request may wait: all the time that is left until its deadline.
    pub(crate) fn budget() -> Duration {
        kit::deadline::remaining().unwrap_or(WITHOUT_DEADLINE)
    }

    /// Counts a request as waiting.
    ///
    /// # Errors
    /// `Unavailable` when the request is not expected to get a connection within `budget`.
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

    /// Starts to measure how long a connection is held.
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
        // Two threads may overwrite each other's sample; that does not matter for an average.
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
