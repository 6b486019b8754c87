use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit_pg::{Conn, TxError};

use crate::schema::signing_keys;

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = signing_keys)]
pub(crate) struct SealedKey {
    pub kid: String,
    pub sealed: Vec<u8>,
    pub nonce: Vec<u8>,
    pub state: String,
    pub created_at: DateTime<Utc>,
    /// Since when the key is in its state.
    pub changed_at: DateTime<Utc>,
}

/// Locks the keys, so that two replicas do not change them at the same moment.
pub(crate) async fn lock(conn: &mut Conn) -> Result<(), TxError> {
    diesel::sql_query("LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE").execute(conn).await?;
    Ok(())
}

pub(crate) async fn insert(conn: &mut Conn, row: &SealedKey) -> Result<(), TxError> {
    diesel::insert_into(signing_keys::table).values(row).execute(conn).await?;
    Ok(())
}

/// Brings a key into another state.
pub(crate) async fn set_state(conn: &mut Conn, kid: &str, state: &str, now: DateTime<Utc>) -> Result<(), TxError> {
    diesel::update(signing_keys::table.find(kid))
        .set((signing_keys::state.eq(state), signing_keys::changed_at.eq(now)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Replaces the sealed form of a key.
pub(crate) async fn reseal(conn: &mut Conn, kid: &str, sealed: &[u8], nonce: &[u8]) -> Result<(), TxError> {
    diesel::update(signing_keys::table.find(kid))
        .set((signing_keys::sealed.eq(sealed), signing_keys::nonce.eq(nonce)))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn delete(conn: &mut Conn, kid: &str) -> Result<(), TxError> {
    diesel::delete(signing_keys::table.find(kid)).execute(conn).await?;
    Ok(())
}

pub(crate) async fn list(mut conn: &Conn) -> Result<Vec<SealedKey>, TxError> {
    Ok(signing_keys::table.order(signing_keys::created_at).select(SealedKey::as_select()).load(&mut conn).await?)
}
