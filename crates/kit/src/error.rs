//! One error for every layer above the store: what the caller may read (`public`) is kept apart from what the operator
//! needs (`source`). `Display` prints the public part only. Which status it becomes is decided in `status.rs`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::Code;

/// The class of an error, which determines the status. The [`Code`] says which case it is.
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
    /// Every kind.
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

    pub(crate) fn name(self) -> &'static str {
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
}

/// A limit as clients are told of it (`RateLimit-Policy`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatePolicy {
    /// What is limited, in lower case with dashes.
    pub name: String,
    /// Requests in a window.
    pub quota: u32,
    pub window: Duration,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub kind: Kind,
    pub code: Code,
    pub public: Cow<'static, str>,
    pub fields: Vec<(String, String)>,
    pub details: Vec<(String, String)>,
    pub retry_after: Option<Duration>,
    pub rate_policies: Vec<RatePolicy>,
    source: Option<anyhow::Error>,
}

/// The error type of all layers and services.
#[derive(Debug)]
pub struct Error(pub(crate) Box<Inner>);

impl Error {
    /// An error with the kind and the sentence of its code.
    pub fn new(code: Code) -> Self {
        Self(Box::new(Inner {
            kind: code.kind(),
            code,
            public: code.text().into(),
            fields: Vec::new(),
            details: Vec::new(),
            retry_after: None,
            rate_policies: Vec::new(),
            source: None,
        }))
    }

    /// For objects that are unknown, deleted, of another tenant or out of the caller's scope: always the same answer.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound)
    }

    /// The caller is signed in, but the role does not allow the action.
    pub fn forbidden() -> Self {
        Self::new(Code::PermissionDenied)
    }

    /// One field is wrong.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::new(Code::ValidationError).field(field, message)
    }

    /// A read-only field was sent with a value that differs from the stored one.
    pub fn read_only(field: &str) -> Self {
        Self::new(Code::ReadOnlyField).field(field, "Read-only field.")
    }

    /// A dependency is down; `retry_after` is set to a second.
    pub fn unavailable(source: impl Into<anyhow::Error>) -> Self {
        Self::new(Code::ServiceUnavailable).retry_after(Duration::from_secs(1)).caused_by(source)
    }

    /// A bug. The public text is always the same sentence.
    pub fn internal(source: impl Into<anyhow::Error>) -> Self {
        Self::new(Code::InternalError).caused_by(source)
    }

    /// Replaces the sentence of the code by a more exact one.
    #[must_use]
    pub fn message(mut self, public: impl Into<Cow<'static, str>>) -> Self {
        self.0.public = public.into();
        self
    }

    /// Adds a message for one field; nested fields are written `a.b`.
    #[must_use]
    pub fn field(mut self, name: &str, message: impl Into<String>) -> Self {
        self.0.fields.push((name.to_owned(), message.into()));
        self
    }

    /// Adds a machine-readable fact, such as the id of the row that conflicts.
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

    /// The limits that refused a request; they are the same whether what it names exists or not.
    #[must_use]
    pub fn limited_by(mut self, policies: impl IntoIterator<Item = RatePolicy>) -> Self {
        self.0.rate_policies = policies.into_iter().collect();
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
    pub fn code(&self) -> Code {
        self.0.code
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
    pub fn rate_policies(&self) -> &[RatePolicy] {
        &self.0.rate_policies
    }
    pub fn source(&self) -> Option<&anyhow::Error> {
        self.0.source.as_ref()
    }

    /// Logs the failure once, at the level of its kind; called by the `grpc/` layer and by `main`.
    pub fn log(&self) {
        let cause = self.0.source.as_ref().map(|source| format!("{source:#}")).unwrap_or_default();
        let code = self.code().name();
        match self.kind() {
            Kind::Internal => tracing::error!(code, cause, "request failed"),
            Kind::Unavailable | Kind::Timeout => tracing::warn!(code, cause, "request failed"),
            _ => tracing::debug!(code, cause, "request refused"),
        }
    }
}

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
    /// Adds a fault.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push((field.to_owned(), message.into()));
    }

    /// Returns the value of a check that passed, or adds the message of one that failed.
    pub fn check<T>(&mut self, field: &str, outcome: Result<T, String>) -> Option<T> {
        outcome.map_err(|message| self.add(field, message)).ok()
    }

    /// # Errors
    /// One `Invalid` error with every fault, when there is any.
    pub fn finish(self) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut error = Error::new(Code::ValidationError);
        error.0.fields = self.0;
        Err(error)
    }
}
