use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kit::Error;

/// How long background work, which has no deadline, waits for a connection.
const WITHOUT_DEADLINE: Duration = Duration::from_secs(5);
/// How long more may be asked than can be served in time before requests are refused.
const BURST: Duration = Duration::from_secs(1);
/// Waiters per connection beyond which requests are refused, whatever the estimate is.
const MOST_PER_CONNECTION: usize = 96;

/// The number of requests that wait for a connection and the time for which connections are held. From these follows
/// whether a request could be served in time; if not, it is refused at once, or as soon as that turns out.
#[derive(Clone, Debug)]
pub(crate) struct Waiting(Arc<State>);

#[derive(Debug)]
struct State {
    connections: usize,
    started: Instant,
    waiting: AtomicUsize,
    /// How many have left the queue.
    left: AtomicUsize,
    /// How long a connection is held: a moving average in microseconds.
    held: AtomicU64,
    /// The number of connections that are held now, and the sum of the times since when, in microseconds after `started`.
    holders: AtomicU64,
    held_since: AtomicU64,
    /// Since when a request was too late and the queue was never empty, in microseconds after `started`; 0: it was not.
    overloaded_since: AtomicU64,
}

/// Counts a request as waiting until it is dropped.
pub(crate) struct Place {
    state: Arc<State>,
    ahead: usize,
    left_before: usize,
}

/// Measures how long a connection is held.
pub(crate) struct Held {
    state: Arc<State>,
    since: Duration,
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl State {
    /// How long a connection is expected to be held. While none comes back the average does not change, so the age of
    /// what is going on counts too.
    fn hold(&self) -> Duration {
        let holders = self.holders.load(Ordering::Relaxed).max(1);
        let begun = self.held_since.load(Ordering::Relaxed) / holders;
        let age = if begun == 0 { 0 } else { micros(self.started.elapsed()).saturating_sub(begun) };
        Duration::from_micros(age.max(self.held.load(Ordering::Relaxed)))
    }

    /// True when a request behind `ahead` others is not expected to be served within half of `budget`: the average hides
    /// that some work takes longer, and one that waits in vain costs more than a refusal.
    fn too_late(&self, ahead: usize, budget: Duration) -> bool {
        let rounds = u32::try_from(ahead / self.connections).unwrap_or(u32::MAX).saturating_add(1);
        ahead >= self.connections && self.hold().saturating_mul(rounds) > budget / 2
    }

    /// Notes whether a new request behind `ahead` others would be too late; true when one was for [`BURST`] and the queue
    /// has not been empty since. A burst is over by then and was answered; what lasts longer is more than can be served.
    fn overloaded(&self, ahead: usize, budget: Duration) -> bool {
        if ahead < self.connections {
            self.overloaded_since.store(0, Ordering::Relaxed);
        }
        if !self.too_late(ahead, budget) {
            return false;
        }
        let now = micros(self.started.elapsed()).max(1);
        let since = self.overloaded_since.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        Duration::from_micros(now.saturating_sub(since.map_or_else(|known| known, |_unset| now))) >= BURST
    }
}

impl Waiting {
    pub(crate) fn new(connections: u32) -> Self {
        Self::since(connections, Instant::now())
    }

    fn since(connections: u32, started: Instant) -> Self {
        let connections = usize::try_from(connections).unwrap_or(1).max(1);
        Self(Arc::new(State {
            connections,
            started,
            waiting: AtomicUsize::new(0),
            left: AtomicUsize::new(0),
            held: AtomicU64::new(1_000),
            holders: AtomicU64::new(0),
            held_since: AtomicU64::new(0),
            overloaded_since: AtomicU64::new(0),
        }))
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
        let left_before = state.left.load(Ordering::Relaxed);
        let ahead = state.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Place { state: state.clone(), ahead, left_before };
        let overloaded = state.overloaded(ahead, budget);
        if ahead >= state.connections * MOST_PER_CONNECTION || overloaded {
            return Err(refused(ahead));
        }
        Ok(place)
    }

    /// Starts to measure how long a connection is held.
    pub(crate) fn held(&self) -> Held {
        let since = self.0.started.elapsed();
        self.0.holders.fetch_add(1, Ordering::Relaxed);
        self.0.held_since.fetch_add(micros(since), Ordering::Relaxed);
        Held { state: self.0.clone(), since }
    }
}

impl Place {
    /// Looks again whether the request can be served: those before it may take longer than those that came back.
    ///
    /// # Errors
    /// `Unavailable` when it is not expected to get a connection within `budget`.
    pub(crate) fn still_in_time(&self, budget: Duration) -> Result<(), Error> {
        let gone = self.state.left.load(Ordering::Relaxed).wrapping_sub(self.left_before);
        let ahead = self.ahead.saturating_sub(gone);
        let since = self.state.overloaded_since.load(Ordering::Relaxed);
        let lasting = since > 0 && micros(self.state.started.elapsed()).saturating_sub(since) >= micros(BURST);
        if lasting && self.state.too_late(ahead, budget) { Err(refused(ahead)) } else { Ok(()) }
    }
}

fn refused(ahead: usize) -> Error {
    Error::unavailable(anyhow::anyhow!("{ahead} requests wait for a database connection"))
}

impl Drop for Place {
    fn drop(&mut self) {
        self.state.waiting.fetch_sub(1, Ordering::Relaxed);
        self.state.left.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let now = micros(self.state.started.elapsed().saturating_sub(self.since));
        self.state.holders.fetch_sub(1, Ordering::Relaxed);
        self.state.held_since.fetch_sub(micros(self.since), Ordering::Relaxed);
        // Two threads may overwrite each other's sample; that does not matter for an average.
        let average = self.state.held.load(Ordering::Relaxed);
        self.state.held.store(average - average / 8 + now / 8, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_that_could_not_be_served_in_time_is_refused_when_it_lasts() {
        let waiting = Waiting::since(2, Instant::now() - BURST * 2);
        let second = Duration::from_secs(1);
        waiting.0.held.store(130_000, Ordering::Relaxed);
        let places: Vec<_> = (0..6).map(|_| waiting.enter(second).unwrap()).collect();
        let burst = waiting.enter(second).unwrap();
        assert!(waiting.0.too_late(6, second), "four rounds of 0.13 s take more than half a second");
        waiting.0.overloaded_since.store(1, Ordering::Relaxed);
        assert!(burst.still_in_time(second).is_err() && places[0].still_in_time(second).is_ok(), "it has lasted");
        assert!(waiting.enter(second).is_err());
        assert!(waiting.enter(second * 2).is_ok(), "it could be served in this time");
        assert!(waiting.enter(second).is_err(), "which does not end the overload");
        drop((places, burst));
        assert!(waiting.enter(second).is_ok(), "an empty queue does");
        assert_eq!(waiting.0.overloaded_since.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn while_no_connection_comes_back_the_age_of_what_is_going_on_counts() {
        let waiting = Waiting::since(1, Instant::now() - Duration::from_millis(300));
        waiting.0.holders.store(1, Ordering::Relaxed);
        waiting.0.held_since.store(1, Ordering::Relaxed);
        assert!(waiting.0.hold() >= Duration::from_millis(290));
        assert!(
            waiting.0.too_late(1, Duration::from_millis(500)) && !waiting.0.too_late(0, Duration::from_millis(500))
        );
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
