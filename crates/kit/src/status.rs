//! What an error becomes: a status of gRPC between our services, and of HTTP at every public port. How the answer to a client
//! is written is in the gateway's `http/error.rs`.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::{Error, Kind};

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

    fn grpc(self) -> Code {
        match self {
            Self::Invalid => Code::InvalidArgument,
            Self::Unauthenticated => Code::Unauthenticated,
            Self::Forbidden => Code::PermissionDenied,
            Self::NotFound => Code::NotFound,
            Self::Conflict | Self::KeyReused | Self::InProgress => Code::AlreadyExists,
            Self::Precondition => Code::FailedPrecondition,
            Self::RateLimited => Code::ResourceExhausted,
            Self::Stale => Code::Aborted,
            Self::Unavailable => Code::Unavailable,
            Self::Timeout => Code::DeadlineExceeded,
            Self::Internal => Code::Internal,
        }
    }

    fn of_code(code: Code) -> Self {
        match code {
            Code::InvalidArgument | Code::OutOfRange => Self::Invalid,
            Code::Unauthenticated => Self::Unauthenticated,
            Code::PermissionDenied => Self::Forbidden,
            Code::NotFound => Self::NotFound,
            Code::AlreadyExists => Self::Conflict,
            Code::FailedPrecondition => Self::Precondition,
            Code::ResourceExhausted => Self::RateLimited,
            Code::Aborted => Self::Stale,
            Code::Unavailable => Self::Unavailable,
            // The server answers CANCELLED when the caller's deadline ran out.
            Code::DeadlineExceeded | Code::Cancelled => Self::Timeout,
            Code::Ok | Code::Unknown | Code::Unimplemented | Code::Internal | Code::DataLoss => Self::Internal,
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        error.log();
        let inner = *error.0;
        let mut facts: HashMap<String, String> = inner.details.into_iter().collect();
        facts.insert("kind".to_owned(), inner.kind.name().to_owned());
        let mut details = ErrorDetails::with_error_info(inner.code, DOMAIN, facts);
        if !inner.fields.is_empty() {
            let violations: Vec<_> =
                inner.fields.into_iter().map(|(field, text)| FieldViolation::new(field, text)).collect();
            details.set_bad_request(violations);
        }
        if inner.retry_after.is_some() {
            details.set_retry_info(inner.retry_after);
        }
        Status::with_error_details(inner.kind.grpc(), inner.public, details)
    }
}

/// A status that is not ours (a dead peer, a deadline) loses its text: it may name hosts and files.
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
        let mut error = Self::new(kind, info.reason.clone(), status.message().to_owned());
        error.0.details =
            info.metadata.iter().filter(|(k, _)| *k != "kind").map(|(k, v)| (k.clone(), v.clone())).collect();
        error.0.details.sort();
        if let Some(bad) = details.bad_request() {
            error.0.fields =
                bad.field_violations.iter().map(|fault| (fault.field.clone(), fault.description.clone())).collect();
        }
        error.0.retry_after = details.retry_info().and_then(|info| info.retry_delay);
        error
    }
}

fn foreign(status: &Status) -> Error {
    // A status with a source was not answered by the peer: the connection broke under the call, for which tonic has no code of
    // its own (a killed peer is `Unknown: transport error`).
    let broken = std::error::Error::source(status).is_some();
    let kind = match Kind::of_code(status.code()) {
        Kind::Timeout => Kind::Timeout,
        _ if broken => Kind::Unavailable,
        kind => kind,
    };
    let cause = anyhow::anyhow!("peer answered {:?}: {}", status.code(), status.message());
    match kind {
        Kind::Unavailable => Error::unavailable(cause),
        Kind::Timeout => Error::new(Kind::Timeout, "timeout", "The request took too long. Please try again.")
            .retry_after(Duration::from_secs(1))
            .caused_by(cause),
        _ => Error::internal(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_the_way_through_a_status() {
        for kind in Kind::ALL {
            let error = Error::new(kind, "a_code", "A sentence.")
                .field("a.b", "is wrong")
                .detail("id", "42")
                .retry_after(Duration::from_secs(3));
            let back = Error::from(Status::from(error));
            assert_eq!(back.kind(), kind);
            assert_eq!((back.code(), back.public()), ("a_code", "A sentence."));
            assert_eq!(back.fields(), [("a.b".to_owned(), "is wrong".to_owned())]);
            assert_eq!(back.details(), [("id".to_owned(), "42".to_owned())]);
            assert_eq!(back.retry_delay(), Some(Duration::from_secs(3)));
        }
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
