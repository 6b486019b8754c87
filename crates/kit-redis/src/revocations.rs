use std::time::Duration;

use kit::ids::{SessionId, TenantId, UserId};
use redis::AsyncCommands;

use crate::{Redis, RedisDown};

/// Whose tokens are revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// One session: all of its tokens are revoked.
    Session(SessionId),
    /// A user: tokens below the minimum version are revoked.
    User(UserId),
    /// A tenant: tokens below the minimum tenant version are revoked.
    Tenant(TenantId),
}

/// The lowest version of tokens that are still valid; for a revoked session it is the highest number possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinVersion(pub i64);

impl MinVersion {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl Redis {
    pub(crate) fn revocation_key(&self, subject: &Subject) -> String {
        match subject {
            Subject::Session(id) => self.key(&["rev", "session", &id.to_string()]),
            Subject::User(id) => self.key(&["rev", "user", &id.to_string()]),
            Subject::Tenant(id) => self.key(&["rev", "tenant", &id.to_string()]),
        }
    }

    pub(crate) fn generation_key(&self) -> String {
        self.key(&["rev", "generation"])
    }

    /// Writes revocations that are kept for `life`, as long as an access token may be valid.
    ///
    /// # Errors
    /// [`RedisDown`]: Postgres still has them, and they are written again from there.
    pub async fn revoke(&self, revocations: &[(Subject, MinVersion)], life: Duration) -> Result<(), RedisDown> {
        if revocations.is_empty() {
            return Ok(());
        }
        let mut pipe = redis::pipe();
        for (subject, min) in revocations {
            pipe.set_ex(self.revocation_key(subject), min.0, life.as_secs().max(1)).ignore();
        }
        self.run(|mut conn| async move { pipe.query_async(&mut conn).await }).await
    }

    /// The id under which all revocations were last written, empty when there is none.
    ///
    /// # Errors
    /// [`RedisDown`].
    pub async fn generation(&self) -> Result<String, RedisDown> {
        let key = self.generation_key();
        let found: Option<String> = self.run(|mut conn| async move { conn.get(key).await }).await?;
        Ok(found.unwrap_or_default())
    }

    /// Sets that id, after all revocations were written.
    ///
    /// # Errors
    /// [`RedisDown`].
    pub async fn set_generation(&self, id: &str) -> Result<(), RedisDown> {
        let (key, id) = (self.generation_key(), id.to_owned());
        self.run(|mut conn| async move { conn.set(key, id).await }).await
    }
}
