//! The deadline of a request. The gRPC server sets it from the caller's `grpc-timeout`. Code that handles the request
//! waits no longer than that, for example for a database connection or for a peer.

use std::future::Future;
use std::time::{Duration, Instant};

tokio::task_local! {
    static DEADLINE: Instant;
}

/// Runs `work` with a deadline of `budget` from now.
pub async fn within<F: Future>(budget: Duration, work: F) -> F::Output {
    DEADLINE.scope(Instant::now() + budget, work).await
}

/// The time that is left until the deadline; `None` outside of a request, as in background work.
pub fn remaining() -> Option<Duration> {
    DEADLINE.try_with(|deadline| deadline.saturating_duration_since(Instant::now())).ok()
}

/// Reads a `grpc-timeout` header: at most eight digits and a unit
/// (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).
pub(crate) fn parse_grpc_timeout(header: &str) -> Option<Duration> {
    let unit = header.chars().last().filter(char::is_ascii)?;
    let digits = header.strip_suffix(unit).filter(|digits| digits.len() <= 8)?;
    let value: u64 = digits.parse().ok()?;
    Some(match unit {
        'H' => Duration::from_secs(value * 3_600),
        'M' => Duration::from_secs(value * 60),
        'S' => Duration::from_secs(value),
        'm' => Duration::from_millis(value),
        'u' => Duration::from_micros(value),
        'n' => Duration::from_nanos(value),
        _ => return None,
    })
}

/// Writes a `grpc-timeout` header: in microseconds, or in milliseconds when that takes more than eight digits.
pub(crate) fn grpc_timeout(left: Duration) -> String {
    let micros = left.as_micros();
    if micros < 100_000_000 { format!("{micros}u") } else { format!("{}m", left.as_millis().min(99_999_999)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_left_is_known_within_a_request_only() {
        assert_eq!(remaining(), None);
        let left = within(Duration::from_secs(5), async { remaining() }).await.unwrap();
        assert!(left <= Duration::from_secs(5) && left > Duration::from_secs(4));
    }

    #[test]
    fn a_grpc_timeout_is_read_and_nonsense_is_not() {
        assert_eq!(parse_grpc_timeout("2000000u"), Some(Duration::from_secs(2)));
        assert_eq!(parse_grpc_timeout("15S"), Some(Duration::from_secs(15)));
        for given in [Duration::ZERO, Duration::from_micros(99_999_999), Duration::from_secs(300)] {
            assert_eq!(parse_grpc_timeout(&grpc_timeout(given)), Some(given));
        }
        for bad in ["", "5", "S", "-1S", "123456789S", "5x", "5é"] {
            assert_eq!(parse_grpc_timeout(bad), None, "{bad}");
        }
    }
}
