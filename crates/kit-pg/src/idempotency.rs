use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use kit::caller::Caller;
use kit::ids::{TenantId, UserId};
use kit::{Code, Error};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{in_progress, key_reused};
use crate::{Conn, OldRows, TxError, of_tenant};

diesel::table! {
    idempotency_keys (scope, key) {
        scope -> Text,
        key -> Text,
        tenant_id -> Nullable<Uuid>,
        request_hash -> Text,
        reply -> Jsonb,
        created_at -> Timestamptz,
    }
}

/// Records by age; each is kept for 24 h.
pub const OLD_KEYS: OldRows = OldRows { table: "idempotency_keys", condition: "created_at < $1" };

/// A result, and whether it was read from the record of an earlier request.
#[derive(Clone, Debug)]
pub struct Once<T> {
    pub value: T,
    pub replayed: bool,
}

impl<T> Once<T> {
    /// A result that this request computed itself.
    pub fn fresh(value: T) -> Self {
        Self { value, replayed: false }
    }
}

/// The idempotency key of a request, locked until the end of the transaction. The record is written in the transaction
/// of the effect, so it survives crashes and a flushed Redis; it is kept for 24 h.
pub struct IdempotencyKey {
    claim: Option<Claim>,
    replay: Option<serde_json::Value>,
}

struct Claim {
    scope: String,
    key: String,
    request_hash: String,
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// A lock that ends with the transaction; false while another transaction has it.
    fn pg_try_advisory_xact_lock(key: BigInt) -> Bool;
}

/// The largest answer that is kept, in bytes.
const MAX_REPLY: usize = 128 * 1024;
/// The most records of one user and route in a day.
const MAX_RECORDS: i64 = 1_000;

impl IdempotencyKey {
    /// Locks the caller's key for `route` and reads the answer of an earlier request.
    ///
    /// # Errors
    /// `KeyReused` when the key came with another payload, `InProgress` while its first request runs.
    pub async fn claim(conn: &mut Conn, caller: &Caller, route: &str) -> Result<Self, TxError> {
        let Some(wanted) = &caller.idempotency else {
            return Ok(Self { claim: None, replay: None });
        };
        let (user, _) = caller.log_ids();
        let scope = format!("{route} {user}");
        let lock = pg_try_advisory_xact_lock(lock_number(&scope, &wanted.key));
        if !diesel::select(lock).get_result::<bool>(conn).await? {
            return Err(in_progress().into());
        }
        let found: Option<(String, serde_json::Value)> = idempotency_keys::table
            .find((&scope, &wanted.key))
            .select((idempotency_keys::request_hash, idempotency_keys::reply))
            .first(conn)
            .await
            .optional()?;
        let replay = match found {
            Some((hash, _)) if hash != wanted.request_hash => return Err(key_reused().into()),
            found => found.map(|(_, reply)| reply),
        };
        let claim = Claim { scope, key: wanted.key.clone(), request_hash: wanted.request_hash.clone() };
        Ok(Self { claim: Some(claim), replay })
    }

    /// The answer of the earlier request, when there was one.
    ///
    /// # Errors
    /// `Internal` when the record cannot be read.
    pub fn replay<T: DeserializeOwned>(&mut self) -> Result<Option<Once<T>>, TxError> {
        let Some(reply) = self.replay.take() else { return Ok(None) };
        let value = serde_json::from_value(reply).map_err(Error::internal)?;
        Ok(Some(Once { value, replayed: true }))
    }

    /// Records the answer in the transaction of the effect.
    ///
    /// # Errors
    /// When the row cannot be written.
    pub async fn keep<T: Serialize>(self, conn: &mut Conn, now: DateTime<Utc>, value: T) -> Result<Once<T>, TxError> {
        if let Some(claim) = self.claim {
            let reply = serde_json::to_value(&value).map_err(Error::internal)?;
            // A repetition of such a request is carried out again; its effect is there already.
            if reply.to_string().len() > MAX_REPLY {
                return Ok(Once::fresh(value));
            }
            require_room(conn, &claim.scope).await?;
            let kept = diesel::insert_into(idempotency_keys::table)
                .values((
                    idempotency_keys::scope.eq(claim.scope),
                    idempotency_keys::key.eq(claim.key),
                    idempotency_keys::request_hash.eq(claim.request_hash),
                    idempotency_keys::reply.eq(reply),
                    idempotency_keys::created_at.eq(now),
                ))
                .on_conflict_do_nothing()
                .execute(conn)
                .await?;
            // A record exists that is not visible in this tenant's scope: the key was used for another tenant.
            if kept == 0 {
                return Err(key_reused().into());
            }
        }
        Ok(Once::fresh(value))
    }
}

/// Deletes the answers that are kept for a user of a tenant.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_answers(conn: &mut Conn, tenant: TenantId, user: UserId) -> Result<(), TxError> {
    let of_user = idempotency_keys::table
        .filter(of_tenant(idempotency_keys::tenant_id, tenant))
        .filter(idempotency_keys::scope.like(format!("% {user}")));
    diesel::delete(of_user).execute(conn).await?;
    Ok(())
}

/// Refuses a record beyond the quota of a user and route. A job deletes records after a day.
async fn require_room(conn: &mut Conn, scope: &str) -> Result<(), TxError> {
    let kept = idempotency_keys::table.filter(idempotency_keys::scope.eq(scope)).count();
    if kept.get_result::<i64>(conn).await? < MAX_RECORDS {
        return Ok(());
    }
    let text =
        format!("{MAX_RECORDS} idempotency keys a day for one route are the limit; send this request without one.");
    Err(Error::new(Code::QuotaExceeded).message(text).into())
}

fn lock_number(scope: &str, key: &str) -> i64 {
    let digest = ring::digest::digest(&ring::digest::SHA256, format!("{scope}\u{0}{key}").as_bytes());
    digest.as_ref().iter().take(8).fold(0_i64, |number, byte| (number << 8) | i64::from(*byte))
}
