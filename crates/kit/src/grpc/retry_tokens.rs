//! The budget of retries of one client: gRPC's own rule, so that a service that is sick gets less load and not more
//! (<https://github.com/grpc/proposal/blob/master/A6-client-retries.md#throttling-retry-attempts-and-hedged-rpcs>).

use std::sync::atomic::{AtomicU32, Ordering};

/// Thousandths of a token in a full bucket: ten tokens.
const FULL: u32 = 10_000;
/// What a failed call takes: one token.
const FAILURE: u32 = 1_000;
/// What a call that succeeds gives back: a tenth of a token.
const SUCCESS: u32 = 100;

/// The tokens of one client of one service. While half of them or fewer are left, nothing is retried that may have had its
/// effect. Calls that are lost with one connection count as one, which gRPC's rule does not say.
#[derive(Debug)]
pub(super) struct RetryTokens(AtomicU32);

impl Default for RetryTokens {
    fn default() -> Self {
        Self(AtomicU32::new(FULL))
    }
}

impl RetryTokens {
    /// Counts a call that was answered.
    pub(super) fn succeeded(&self) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            (left < FULL).then(|| (left + SUCCESS).min(FULL))
        });
    }

    /// Counts a call that failed; true when it may be tried again.
    pub(super) fn failed(&self) -> bool {
        let take = |left: u32| Some(left.saturating_sub(FAILURE));
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).unwrap_or_default();
        before.saturating_sub(FAILURE) > FULL / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_failures_may_be_retried_and_then_none_until_enough_calls_succeed() {
        let tokens = RetryTokens::default();
        assert_eq!((0..20).filter(|_| tokens.failed()).count(), 4);
        (0..60).for_each(|_| tokens.succeeded());
        assert!(!tokens.failed(), "six tokens, of which the failure takes one");
        (0..20).for_each(|_| tokens.succeeded());
        assert!(tokens.failed(), "seven");
    }

    #[test]
    fn fault_19_when_half_of_the_calls_fail_hardly_any_is_retried() {
        let tokens = RetryTokens::default();
        let retries = (0..10_000).filter(|n| {
            if n % 2 == 0 {
                tokens.succeeded();
                return false;
            }
            tokens.failed()
        });
        assert!(retries.count() < 10);
    }
}
