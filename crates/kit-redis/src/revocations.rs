use std::time::Duration;

use kit::ids::{SessionId, TenantId, UserId};
use redis::AsyncCommands;

use crate::{Redis, RedisDown};

/// What a revocation mark is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// One sign-in: every token of it is dead.
    Session(SessionId),
    /// A user: tokens of a version below the mark's are dead.
    User(UserId),
    /// A tenant: tokens of a tenant version below the mark's are dead.
    Tenant(TenantId),
}

/// The lowest version still good; sessions are marked with the highest number there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(pub i64);

impl Mark {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl Redis {
    pub(crate) fn mark_key(&self, subject: &Subject) -> String {
        match subject {
            Subject::Session(id) => self.key(&["rev", "session", &id.to_string()]),
            Subject::User(id) => self.key(&["rev", "user", &id.to_string()]),
            Subject::Tenant(id) => self.key(&["rev", "tenant", &id.to_string()]),
        }
    }

    pub(crate) fn generation_key(&self) -> String {
        self.key(&["rev", "generation"])
    }

    /// Writes marks that live as long as an access token can.
    ///
    /// # Errors
    /// [`RedisDown`]: Postgres still has them, the refill writes them again.
    pub async fn mark(&self, marks: &[(Subject, Mark)], life: Duration) -> Result<(), RedisDown> {
        if marks.is_empty() {
            return Ok(());
        }
        let mut pipe = redis::pipe();
        for (subject, mark) in marks {
            pipe.set_ex(self.mark_key(subject), mark.0, life.as_secs().max(1)).ignore();
        }
        self.run(|mut conn| async move { pipe.query_async(&mut conn).await }).await
    }

    /// The name of the present filling, empty when there is none.
    ///
    /// # Errors
    /// [`RedisDown`].
    pub async fn generation(&self) -> Result<String, RedisDown> {
        let key = self.generation_key();
        let found: Option<String> = self.run(|mut conn| async move { conn.get(key).await }).await?;
        Ok(found.unwrap_or_default())
    }

    /// Names the filling, after all its marks were written.
    ///
    /// # Errors
    /// [`RedisDown`].
    pub async fn set_generation(&self, name: &str) -> Result<(), RedisDown> {
        let (key, name) = (self.generation_key(), name.to_owned());
        self.run(|mut conn| async move { conn.set(key, name).await }).await
    }
}
