use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::{Limit, Wait};

/// The number of keys of one quota from which on idle ones are dropped.
const SWEEP_AT: usize = 10_000;

/// The rate limiter for the time in which Redis is not available: the same quotas, counted in this process.
#[derive(Default)]
pub struct LocalLimiter(Mutex<HashMap<(u32, Duration), DefaultKeyedRateLimiter<String>>>);

impl LocalLimiter {
    /// Charges the limits; returns how long the client has to wait.
    pub fn check(&self, limits: &[Limit]) -> Wait {
        let mut quotas = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let clock = DefaultClock::default();
        let mut wait = Wait::default();
        for (by, limit) in limits.iter().enumerate() {
            let Some(quota) = quota(limit) else { continue };
            let limiter = quotas.entry((limit.burst, limit.per)).or_insert_with(|| RateLimiter::keyed(quota));
            if limiter.len() > SWEEP_AT {
                limiter.retain_recent();
            }
            if let Err(refused) = limiter.check_key(&limit.key) {
                let time = refused.wait_time_from(clock.now());
                wait = if time > wait.time { Wait { time, by } } else { wait };
            }
        }
        wait
    }
}

fn quota(limit: &Limit) -> Option<Quota> {
    let burst = NonZeroU32::new(limit.burst)?;
    Some(Quota::with_period(limit.per.checked_div(limit.burst)?)?.allow_burst(burst))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rl_06_a_burst_passes_once_and_then_waits() {
        let limiter = LocalLimiter::default();
        let limit = [Limit { key: "login:net:x".into(), burst: 3, per: Duration::from_secs(60) }];
        for _ in 0..3 {
            assert!(limiter.check(&limit).is_zero());
        }
        assert!(limiter.check(&limit).time > Duration::from_secs(10));
    }
}
