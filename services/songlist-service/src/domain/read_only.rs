//! Fields of an object that its clients are shown and cannot set. One that is sent back as it was shown is accepted.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kit::Error;
use uuid::Uuid;

/// What a client is shown of a field.
pub(crate) enum Shown {
    Text(String),
    Time(DateTime<Utc>),
}

impl Shown {
    fn is(&self, sent: &str) -> bool {
        match self {
            Self::Text(text) => text == sent,
            Self::Time(at) => DateTime::parse_from_rfc3339(sent).is_ok_and(|sent| sent == *at),
        }
    }
}

impl From<Uuid> for Shown {
    fn from(id: Uuid) -> Self {
        Self::Text(id.to_string())
    }
}

impl From<Option<Uuid>> for Shown {
    fn from(id: Option<Uuid>) -> Self {
        Self::Text(id.map(|id| id.to_string()).unwrap_or_default())
    }
}

impl From<&str> for Shown {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Shown {
    fn from(number: i64) -> Self {
        Self::Text(number.to_string())
    }
}

impl From<DateTime<Utc>> for Shown {
    fn from(at: DateTime<Utc>) -> Self {
        Self::Time(at)
    }
}

impl From<Option<DateTime<Utc>>> for Shown {
    fn from(at: Option<DateTime<Utc>>) -> Self {
        at.map_or(Self::Text(String::new()), Self::Time)
    }
}

/// Compares what was sent with what the object shows.
///
/// # Errors
/// `read_only_field` for the first field with another value.
pub(crate) fn check(sent: &HashMap<String, String>, shown: &[(&str, Shown)]) -> Result<(), Error> {
    let differs = |name: &str, text: &str| !shown.iter().any(|(known, value)| *known == name && value.is(text));
    let mut wrong: Vec<&String> =
        sent.iter().filter(|(name, text)| differs(name, text)).map(|(name, _)| name).collect();
    wrong.sort();
    wrong.first().map_or(Ok(()), |name| Err(Error::read_only(name)))
}

/// Refuses a change of an object that somebody else was faster to change.
///
/// # Errors
/// `precondition_failed`.
pub(crate) fn check_version(version: i64, if_version: Option<i64>) -> Result<(), Error> {
    match if_version {
        Some(wanted) if wanted != version => Err(Error::new(kit::Code::PreconditionFailed)),
        _ => Ok(()),
    }
}
