//! The status of an error: of gRPC between services, and of HTTP at every public port. The body for a client is written
//! in the gateway's `http/error.rs`.

use std::collections::HashMap;
use std::time::Duration;

use tonic::Status;
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::error::RatePolicy;
use crate::{Code, Error, Kind};

const DOMAIN: &str = "songlist";

impl Kind {
    /// The HTTP status of every public port.
    pub fn http(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict | Self::Precondition | Self::InProgress => 409,
            Self::Stale => 412,
            Self::KeyReused => 422,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Unavailable | Self::Timeout => 503,
        }
    }

    fn grpc(self) -> tonic::Code {
        match self {
            Self::Invalid => tonic::Code::InvalidArgument,
            Self::Unauthenticated => tonic::Code::Unauthenticated,
            Self::Forbidden => tonic::Code::PermissionDenied,
            Self::NotFound => tonic::Code::NotFound,
            Self::Conflict | Self::KeyReused | Self::InProgress => tonic::Code::AlreadyExists,
            Self::Precondition => tonic::Code::FailedPrecondition,
            Self::RateLimited => tonic::Code::ResourceExhausted,
            Self::Stale => tonic::Code::Aborted,
            Self::Unavailable => tonic::Code::Unavailable,
            Self::Timeout => tonic::Code::DeadlineExceeded,
            Self::Internal => tonic::Code::Internal,
        }
    }

    fn of_code(code: tonic::Code) -> Self {
        match code {
            tonic::Code::InvalidArgument | tonic::Code::OutOfRange => Self::Invalid,
            tonic::Code::Unauthenticated => Self::Unauthenticated,
            tonic::Code::PermissionDenied => Self::Forbidden,
            tonic::Code::NotFound => Self::NotFound,
            tonic::Code::AlreadyExists => Self::Conflict,
            tonic::Code::FailedPrecondition => Self::Precondition,
            tonic::Code::ResourceExhausted => Self::RateLimited,
            tonic::Code::Aborted => Self::Stale,
            tonic::Code::Unavailable => Self::Unavailable,
            // The server answers CANCELLED when the caller's deadline ran out.
            tonic::Code::DeadlineExceeded | tonic::Code::Cancelled => Self::Timeout,
            tonic::Code::Ok
            | tonic::Code::Unknown
            | tonic::Code::Unimplemented
            | tonic::Code::Internal
            | tonic::Code::DataLoss => Self::Internal,
        }
    }
}

impl Code {
    /// The HTTP status of an error with this code. Four codes have a status of their own, all others that of their
    /// kind.
    pub fn http(self) -> u16 {
        match self {
            Self::MethodNotAllowed => 405,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::PreconditionRequired => 428,
            _ => self.kind().http(),
        }
    }
}

impl Error {
    /// The HTTP status of every public port.
    pub fn http(&self) -> u16 {
        if self.kind() == self.code().kind() { self.code().http() } else { self.kind().http() }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        error.log();
        let inner = *error.0;
        let mut facts: HashMap<String, String> = inner.details.into_iter().collect();
        facts.insert("kind".to_owned(), inner.kind.name().to_owned());
        let mut details = ErrorDetails::with_error_info(inner.code.name(), DOMAIN, facts);
        if !inner.fields.is_empty() {
            let violations: Vec<_> =
                inner.fields.into_iter().map(|(field, text)| FieldViolation::new(field, text)).collect();
            details.set_bad_request(violations);
        }
        if inner.retry_after.is_some() {
            details.set_retry_info(inner.retry_after);
        }
        for policy in inner.rate_policies {
            details.add_quota_failure_violation(policy.name, format!("{};{}", policy.quota, policy.window.as_secs()));
        }
        Status::with_error_details(inner.kind.grpc(), inner.public, details)
    }
}

/// A status that no service of SongList has made (after a broken connection or a deadline) loses its text, which may
/// name hosts and files.
impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let Some(info) = details.error_info().filter(|info| info.domain == DOMAIN) else {
            return foreign(&status);
        };
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| info.metadata.get("kind").is_some_and(|name| name == kind.name()))
            .unwrap_or_else(|| Kind::of_code(status.code()));
        let code = Code::of_name(&info.reason).unwrap_or(Code::general(kind));
        let mut error = Self::new(code).message(status.message().to_owned());
        error.0.kind = kind;
        error.0.details =
            info.metadata.iter().filter(|(k, _)| *k != "kind").map(|(k, v)| (k.clone(), v.clone())).collect();
        error.0.details.sort();
        if let Some(bad) = details.bad_request() {
            error.0.fields =
                bad.field_violations.iter().map(|fault| (fault.field.clone(), fault.description.clone())).collect();
        }
        error.0.retry_after = details.retry_info().and_then(|info| info.retry_delay);
        let violations = details.quota_failure().map(|failure| failure.violations.as_slice()).unwrap_or_default();
        error.0.rate_policies = violations.iter().filter_map(|v| rate_policy(&v.subject, &v.description)).collect();
        error
    }
}

/// A limit out of its parts in a status: the name, and `quota;seconds`.
fn rate_policy(name: &str, numbers: &str) -> Option<RatePolicy> {
    let (quota, seconds) = numbers.split_once(';')?;
    let window = Duration::from_secs(seconds.parse().ok()?);
    Some(RatePolicy { name: name.to_owned(), quota: quota.parse().ok()?, window })
}

fn foreign(status: &Status) -> Error {
    // A status with a source was not sent by the peer: the connection broke during the call. tonic has no code for that
    // (after the peer was killed it is `Unknown: transport error`).
    let broken = std::error::Error::source(status).is_some();
    let kind = match Kind::of_code(status.code()) {
        Kind::Timeout => Kind::Timeout,
        // Load was shed at the door of the peer: our own limits come with details.
        Kind::RateLimited => Kind::Unavailable,
        _ if broken => Kind::Unavailable,
        kind => kind,
    };
    let cause = anyhow::anyhow!("peer answered {:?}: {}", status.code(), status.message());
    match kind {
        Kind::Unavailable => Error::unavailable(cause),
        Kind::Timeout => Error::new(Code::Timeout).retry_after(Duration::from_secs(1)).caused_by(cause),
        _ => Error::internal(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_way_through_a_status() {
        for code in Code::ALL {
            let error = Error::new(*code)
                .message("A sentence.")
                .field("a.b", "is wrong")
                .detail("id", "42")
                .retry_after(Duration::from_secs(3));
            let back = Error::from(Status::from(error));
            assert_eq!((back.kind(), back.code(), back.public()), (code.kind(), *code, "A sentence."));
            assert_eq!(back.fields(), [("a.b".to_owned(), "is wrong".to_owned())]);
            assert_eq!(back.details(), [("id".to_owned(), "42".to_owned())]);
            assert_eq!(back.retry_delay(), Some(Duration::from_secs(3)));
        }
    }

    #[test]
    fn a_code_of_a_newer_release_keeps_its_kind_and_text() {
        let facts = HashMap::from([("kind".to_owned(), "precondition".to_owned())]);
        let details = ErrorDetails::with_error_info("a_later_code", DOMAIN, facts);
        let status = Status::with_error_details(tonic::Code::FailedPrecondition, "A sentence.", details);
        let error = Error::from(status);
        assert_eq!((error.kind(), error.code(), error.public()), (Kind::Precondition, Code::Conflict, "A sentence."));
    }

    #[test]
    fn gr_05_the_source_text_never_crosses_to_a_peer() {
        let status = Status::from(Error::internal(anyhow::anyhow!("secret table name")));
        assert!(!format!("{status:?}").contains("secret table name"));
        assert!(!String::from_utf8_lossy(status.details()).contains("secret table name"));
    }

    #[test]
    fn a_foreign_status_keeps_its_class_and_loses_its_text() {
        let error = Error::from(Status::unavailable("tcp connect error: 10.0.0.7:9001"));
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(!error.to_string().contains("10.0.0.7"));
        assert!(error.retry_delay().is_some());
        assert_eq!(Error::from(Status::cancelled("Timeout expired")).kind(), Kind::Timeout);
        let broken = Status::from_error(Box::new(std::io::Error::other("connection reset")));
        assert_eq!(Error::from(broken).kind(), Kind::Unavailable);
        assert_eq!(Error::from(Status::unknown("of a stranger")).kind(), Kind::Internal);
    }
}
