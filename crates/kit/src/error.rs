//! One error for every layer above the store: what the caller may read (`public`) is kept apart from what the operator
//! needs (`source`). `Display` prints the public part only. The statuses of gRPC and of HTTP are both decided here; how an
//! answer to a client is written is in the gateway's `http/error.rs`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

const DOMAIN: &str = "songlist";

/// What went wrong, as far as a caller has to tell cases apart. Details are stable string codes, not more variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Invalid,
    Unauthenticated,
    Forbidden,
    NotFound,
    Conflict,
    Precondition,
    RateLimited,
    Stale,
    KeyReused,
    InProgress,
    Unavailable,
    Timeout,
    Internal,
}

impl Kind {
    /// Every kind, for table tests.
    pub const ALL: [Self; 13] = [
        Self::Invalid,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::Precondition,
        Self::RateLimited,
        Self::Stale,
        Self::KeyReused,
        Self::InProgress,
        Self::Unavailable,
        Self::Timeout,
        Self::Internal,
    ];

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

    fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Precondition => "precondition",
            Self::RateLimited => "rate_limited",
            Self::Stale => "stale",
            Self::KeyReused => "key_reused",
            Self::InProgress => "in_progress",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
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

#[derive(Debug)]
struct Inner {
    kind: Kind,
    code: Cow<'static, str>,
    public: Cow<'static, str>,
    fields: Vec<(String, String)>,
    details: Vec<(String, String)>,
    retry_after: Option<Duration>,
    source: Option<anyhow::Error>,
}

/// The error that crosses layers and services.
#[derive(Debug)]
pub struct Error(Box<Inner>);

impl Error {
    /// An error with a stable `code` and a sentence the caller may read.
    pub fn new(kind: Kind, code: impl Into<Cow<'static, str>>, public: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            code: code.into(),
            public: public.into(),
            fields: Vec::new(),
            details: Vec::new(),
            retry_after: None,
            source: None,
        }))
    }

    /// The one answer for what is unknown, deleted, of another tenant or out of the caller's scope.
    pub fn not_found() -> Self {
        Self::new(Kind::NotFound, "not_found", "Not found.")
    }

    /// Signed in, but this role may not.
    pub fn forbidden() -> Self {
        Self::new(Kind::Forbidden, "permission_denied", "You do not have permission to perform this action.")
    }

    /// A state that does not allow the change, or something that exists already: 409.
    pub fn conflict(code: &'static str, public: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Conflict, code, public)
    }

    /// One field is wrong.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, "validation_error", "Validation failed.").field(field, message)
    }

    /// A read-only field that was sent with another value than it has.
    pub fn read_only(field: &str) -> Self {
        Self::new(Kind::Invalid, "read_only_field", "This field cannot be set.").field(field, "Read-only field.")
    }

    /// A dependency is down; `retry_after` is set to a second.
    pub fn unavailable(source: impl Into<anyhow::Error>) -> Self {
        Self::new(Kind::Unavailable, "service_unavailable", "The service is temporarily unavailable. Please try again.")
            .retry_after(Duration::from_secs(1))
            .caused_by(source)
    }

    /// A bug. The public text is always this one sentence.
    pub fn internal(source: impl Into<anyhow::Error>) -> Self {
        Self::new(Kind::Internal, "internal_error", INTERNAL_TEXT).caused_by(source)
    }

    /// Adds a message for one field; nested fields are written `a.b`.
    #[must_use]
    pub fn field(mut self, name: &str, message: impl Into<String>) -> Self {
        self.0.fields.push((name.to_owned(), message.into()));
        self
    }

    /// Adds a machine-readable fact, such as the id of the row that is in the way.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.details.push((name.to_owned(), value.into()));
        self
    }

    /// How long a client should wait before it tries again.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Attaches what the operator needs; never shown to a caller.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<anyhow::Error>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub fn kind(&self) -> Kind {
        self.0.kind
    }
    pub fn code(&self) -> &str {
        &self.0.code
    }
    pub fn public(&self) -> &str {
        &self.0.public
    }
    pub fn fields(&self) -> &[(String, String)] {
        &self.0.fields
    }
    pub fn details(&self) -> &[(String, String)] {
        &self.0.details
    }
    pub fn retry_delay(&self) -> Option<Duration> {
        self.0.retry_after
    }
    pub fn source(&self) -> Option<&anyhow::Error> {
        self.0.source.as_ref()
    }

    /// Logs the failure once, at the level of its kind; called by the `grpc/` layer and by `main`.
    pub fn log(&self) {
        let cause = self.0.source.as_ref().map(|source| format!("{source:#}")).unwrap_or_default();
        let code = self.code();
        match self.kind() {
            Kind::Internal => tracing::error!(code, cause, "request failed"),
            Kind::Unavailable | Kind::Timeout => tracing::warn!(code, cause, "request failed"),
            _ => tracing::debug!(code, cause, "request refused"),
        }
    }
}

const INTERNAL_TEXT: &str = "Something went wrong on our side. Please quote the request id when you report it.";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.public)
    }
}

impl std::error::Error for Error {}

/// Collects field faults so that a caller sees all of them at once.
#[derive(Debug, Default)]
pub struct Faults(Vec<(String, String)>);

impl Faults {
    /// Notes one fault.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push((field.to_owned(), message.into()));
    }

    /// Keeps the value of a good check, notes the message of a bad one.
    pub fn check<T>(&mut self, field: &str, outcome: Result<T, String>) -> Option<T> {
        outcome.map_err(|message| self.add(field, message)).ok()
    }

    /// # Errors
    /// One `Invalid` error with every fault, when there is any.
    pub fn finish(self) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut error = Error::new(Kind::Invalid, "validation_error", "Validation failed.");
        error.0.fields = self.0;
        Err(error)
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
        Kind::Internal if broken => Kind::Unavailable,
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
        assert_eq!(Error::from(Status::unknown("a panic")).kind(), Kind::Internal);
    }
}
