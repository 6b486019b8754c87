use diesel::result::{DatabaseErrorKind, Error as Diesel};
use kit::{Code, Error};

/// What a unique or foreign key violation means to a caller; the key is the constraint's name.
#[derive(Clone, Copy, Debug)]
pub struct Conflict {
    pub constraint: &'static str,
    pub code: Code,
}

/// What can end a transaction: a query that failed, or a rule that refused.
#[derive(Debug)]
pub enum TxError {
    Query(Diesel),
    Refused(Error),
}

impl From<Diesel> for TxError {
    fn from(error: Diesel) -> Self {
        Self::Query(error)
    }
}

impl From<Error> for TxError {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl TxError {
    /// The name of the violated constraint, when a constraint was violated.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Query(Diesel::DatabaseError(_, info)) => info.constraint_name(),
            _ => None,
        }
    }

    /// True when the requested row does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Query(Diesel::NotFound))
    }

    /// True when the connection was lost, so that a read may be made on another one.
    pub(crate) fn connection_lost(&self) -> bool {
        use DatabaseErrorKind::{ClosedConnection, UnableToSendCommand};
        match self {
            Self::Query(Diesel::DatabaseError(ClosedConnection | UnableToSendCommand, _)) => true,
            Self::Query(Diesel::DatabaseError(_, info)) => info.message().starts_with("terminating connection"),
            _ => false,
        }
    }

    /// True when the whole transaction may be tried again.
    pub(crate) fn retryable(&self) -> bool {
        match self {
            Self::Query(Diesel::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
            Self::Query(Diesel::DatabaseError(_, info)) => info.message().starts_with("deadlock detected"),
            _ => false,
        }
    }

    /// The only place where database errors become errors of the service.
    pub(crate) fn into_error(self, conflicts: &[Conflict]) -> Error {
        let error = match self {
            Self::Refused(error) => return error,
            Self::Query(error) => error,
        };
        match &error {
            Diesel::NotFound => Error::not_found(),
            Diesel::DatabaseError(kind, info) => {
                let known = info.constraint_name().and_then(|name| conflicts.iter().find(|c| c.constraint == name));
                match (kind, known) {
                    (_, Some(known)) => Error::new(known.code),
                    (DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand, _) => {
                        Error::unavailable(error)
                    }
                    _ if gave_up(info.message()) => Error::unavailable(error),
                    _ => Error::internal(error),
                }
            }
            Diesel::BrokenTransactionManager => Error::unavailable(error),
            _ => Error::internal(error),
        }
    }
}

/// True for conditions that are temporary: statement and lock timeouts, a server that is shutting down, a read-only
/// standby.
fn gave_up(message: &str) -> bool {
    ["canceling statement", "terminating connection", "the database system is", "cannot execute"]
        .iter()
        .any(|start| message.starts_with(start))
}

/// Without a list of conflicts every violated constraint becomes `Internal`, because a violation that is not listed is
/// a bug.
impl From<TxError> for Error {
    fn from(error: TxError) -> Self {
        error.into_error(&[])
    }
}

/// Refuses with 422: the key was used with another payload.
pub(crate) fn key_reused() -> Error {
    Error::new(Code::IdempotencyKeyReused)
}

/// Refuses with 409: the first request with this key has not finished.
pub(crate) fn in_progress() -> Error {
    Error::new(Code::RequestInProgress).retry_after(std::time::Duration::from_secs(1))
}
