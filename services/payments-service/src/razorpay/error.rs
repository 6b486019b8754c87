use std::time::Duration;

use chrono::TimeDelta;

/// Why a request to Razorpay failed.
#[derive(Debug)]
pub(crate) enum GatewayError {
    /// Razorpay refused the request: nothing was made. Code and description are for the operator.
    Refused { status: u16, reason: String },
    /// Razorpay was not reached: nothing was made.
    NotReached(String),
    /// Nothing was asked, or nothing was made, because Razorpay must not be asked for this time.
    Paused(TimeDelta),
    /// A time-out, a 5xx or an unreadable answer: the outcome is unknown until Razorpay is asked again.
    Unknown(String),
}

impl std::fmt::Display for GatewayError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused { status, reason } => write!(f, "Razorpay refused ({status}): {reason}"),
            Self::NotReached(reason) => write!(f, "Razorpay was not reached: {reason}"),
            Self::Paused(pause) => write!(f, "Razorpay is not asked for {} s", pause.num_seconds()),
            Self::Unknown(reason) => write!(f, "Razorpay's answer is unknown: {reason}"),
        }
    }
}

impl std::error::Error for GatewayError {}

impl GatewayError {
    /// True when it is certain that nothing was made and that the same request would be refused again.
    pub(crate) fn certain(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// True when the account has made as many links as it may.
    pub(super) fn is_quota(&self) -> bool {
        matches!(self, Self::Refused { reason, .. } if reason.starts_with("RATE_LIMIT_EXCEEDED"))
    }

    /// When it may be tried again.
    pub(crate) fn retry_after(&self) -> Duration {
        match self {
            Self::Paused(pause) => pause.to_std().unwrap_or_default().max(Duration::from_secs(1)),
            _ => Duration::from_secs(5),
        }
    }
}
