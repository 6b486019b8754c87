//! Ids as types, so that a user id cannot be used as a tenant id.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Error;

/// A new time-ordered id (UUIDv7), for rows.
pub fn new_v7() -> Uuid {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
    Uuid::now_v7()
}

/// A new random id (UUIDv4, 122 random bits), for ids that must not be guessed.
pub fn random() -> Uuid {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
    Uuid::new_v4()
}

/// Parses an id of a path or body.
///
/// # Errors
/// `NotFound` when it is malformed, as for the id of an unknown object.
pub fn parse(text: &str) -> Result<Uuid, Error> {
    Uuid::try_parse(text).map_err(|_malformed| Error::not_found())
}

macro_rules! typed_id {
    ($($(#[$doc:meta])* $name:ident),*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new time-ordered id.
            pub fn new() -> Self {
                Self(new_v7())
            }

            /// # Errors
            /// `NotFound` when it is malformed, as for the id of an unknown object.
            pub fn parse(text: &str) -> Result<Self, Error> {
                parse(text).map(Self)
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

typed_id!(
    /// An organisation on the platform.
    TenantId,
    /// A user's account.
    UserId,
    /// A session, from sign-in to logout.
    SessionId
);
