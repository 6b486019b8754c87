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
}

pub(crate) async fn list(mut conn: &Conn) -> Result<Vec<SealedKey>, TxError> {
    Ok(signing_keys::table.order(signing_keys::created_at).select(SealedKey::as_select()).load(&mut conn).await?)
}

/// Inserts an active key unless there is one, because two replicas may start at once.
pub(crate) async fn insert_if_none_active(conn: &mut Conn, row: &SealedKey) -> Result<(), TxError> {
    diesel::insert_into(signing_keys::table).values(row).on_conflict_do_nothing().execute(conn).await?;
    Ok(())
}
