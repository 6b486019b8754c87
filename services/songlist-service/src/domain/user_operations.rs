//! Deletions and restorations of users, which auth-service records: what a user has made is hidden with the user, and comes
//! back when an administrator says so.

use chrono::{DateTime, Utc};
use kit::Error;
use kit::ids::UserId;
use kit_pg::{Conn, TxError};
use outbox::Delivered;
use serde::Deserialize;
use uuid::Uuid;

use crate::store::user_content;

/// What a message holds: the user's operations in their order, also those of earlier messages.
#[derive(Deserialize)]
struct Payload {
    operations: Vec<Operation>,
    /// The version of the operation before the first of them; 0 when there is none.
    #[serde(default)]
    after: i64,
}

#[derive(Clone, Debug, Deserialize)]
struct Operation {
    version: i64,
    kind: Kind,
    actor_id: Uuid,
    #[serde(default)]
    restore_data: bool,
    at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Kind {
    Delete,
    Restore,
}

/// Applies the operations that are newer than the last one applied. A message that comes late has none: the one that
/// overtook it had its operations too.
pub(crate) async fn arrived(conn: &mut Conn, message: &Delivered) -> Result<(), TxError> {
    let bad = |_malformed| Error::invalid("payload", "not a list of operations");
    let payload: Payload = serde_json::from_value(message.payload.clone()).map_err(bad)?;
    let tenant = message.tenant.ok_or_else(|| Error::invalid("tenant_id", "operations belong to a tenant"))?;
    let user = UserId(message.aggregate);
    let applied = user_content::lock_version(conn, tenant, user).await?;
    if applied < payload.after {
        // Earlier operations are still under way in a message of their own; this one is sent again.
        return Err(
            Error::unavailable(anyhow::anyhow!("operations before version {} are missing", payload.after)).into()
        );
    }
    let newer: Vec<Operation> = payload.operations.into_iter().filter(|one| one.version > applied).collect();
    for (place, operation) in newer.iter().enumerate() {
        match operation.kind {
            // What was made after a restoration belongs to the restored account.
            Kind::Delete => {
                let next = newer.get(place + 1).filter(|next| next.kind == Kind::Restore);
                let until = next.map(|next| next.at);
                user_content::hide(conn, tenant, user, operation.actor_id, operation.at, until).await?;
            }
            Kind::Restore => {
                kit_pg::forget_answers(conn, tenant, user).await?;
                let (at, data) = (operation.at, operation.restore_data);
                user_content::restore_playlists(conn, tenant, user, at, data).await?;
                user_content::restore_song_requests(conn, tenant, user, at, data).await?;
            }
        }
    }
    match newer.last() {
        Some(last) => user_content::set_version(conn, user, last.version, last.kind == Kind::Delete).await,
        None => Ok(()),
    }
}
