//! When Razorpay is not asked at all for a while: it has said so, it refuses our key, or it has not answered again and again.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Duration, Utc};
use kit::Clock;

/// So many questions in a row without an answer open the breaker.
const FAILURES: u32 = 5;
/// It stays open for so long after that.
const UNANSWERED: Duration = Duration::seconds(10);
/// And so long after a key was refused: until an operator has put another one in, nothing else comes of it.
const UNAUTHORISED: Duration = Duration::seconds(60);
/// Razorpay may ask for a pause of this length at most.
const LONGEST: Duration = Duration::seconds(60);

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Answered,
    Unanswered,
    Unauthorised,
    /// Razorpay wants fewer questions, after this time when it has named one.
    Throttled(Option<Duration>),
}

/// A breaker for one API.
pub(super) struct Breaker {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    open_until: Option<DateTime<Utc>>,
}

impl Breaker {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// How long nothing may be asked; nothing when it may. The first question after a pause is a trial: when it fails too, the
    /// breaker opens again at once.
    pub(super) fn pause(&self) -> Option<Duration> {
        let rest = self.state.lock().unwrap_or_else(PoisonError::into_inner).open_until? - self.clock.now();
        (rest > Duration::zero()).then_some(rest)
    }

    /// Takes note of what came of a question; returns for how long the breaker has opened.
    pub(super) fn note(&self, outcome: Outcome) -> Option<Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = match outcome {
            Outcome::Answered => {
                *state = State::default();
                return None;
            }
            Outcome::Unauthorised => UNAUTHORISED,
            Outcome::Throttled(after) => spread(after.unwrap_or(Duration::seconds(2)).min(LONGEST)),
            Outcome::Unanswered => {
                state.failures = state.failures.saturating_add(1);
                if state.failures < FAILURES {
                    return None;
                }
                UNANSWERED
            }
        };
        state.open_until = Some(self.clock.now() + pause);
        Some(pause)
    }
}

/// Up to a fifth longer, so that replicas do not come back together.
fn spread(pause: Duration) -> Duration {
    pause + pause * i32::from(kit::ids::random().as_bytes()[0]) / 1_280
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: u64, clock: &Clock) {
        clock.advance(std::time::Duration::from_secs(seconds));
    }

    #[test]
    fn case_48_a_refused_key_stops_all_questions_for_a_minute() {
        let clock = Clock::movable();
        let breaker = Breaker::new(clock.clone());
        assert!(breaker.note(Outcome::Unauthorised).is_some() && breaker.pause().is_some());
        after(61, &clock);
        assert_eq!(breaker.pause(), None);
    }

    #[test]
    fn case_46_the_pause_is_at_least_what_razorpay_asks_for_and_bounded() {
        let clock = Clock::movable();
        let breaker = Breaker::new(clock.clone());
        for (asked, least, most) in [(Some(3), 3, 4), (None, 2, 3), (Some(86_400), 60, 72)] {
            let pause = breaker.note(Outcome::Throttled(asked.map(Duration::seconds))).unwrap();
            assert!((least..=most).contains(&pause.num_seconds()), "{asked:?}: {pause}");
        }
    }

    #[test]
    fn it_opens_after_five_questions_without_an_answer_and_closes_with_the_next_one() {
        let clock = Clock::movable();
        let breaker = Breaker::new(clock.clone());
        for _ in 0..4 {
            assert_eq!(breaker.note(Outcome::Unanswered), None);
        }
        assert!(breaker.note(Outcome::Unanswered).is_some() && breaker.pause().is_some());
        after(11, &clock);
        assert_eq!(breaker.pause(), None, "a trial");
        assert!(breaker.note(Outcome::Unanswered).is_some(), "the trial failed");
        after(11, &clock);
        breaker.note(Outcome::Answered);
        assert_eq!(breaker.note(Outcome::Unanswered), None, "counted from the beginning");
    }
}
