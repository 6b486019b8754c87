//! Authenticator apps and recovery codes of users.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit_pg::{Conn, TxError};
use uuid::Uuid;

use crate::schema::{authenticators, recovery_codes, users};

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = authenticators)]
pub(crate) struct Authenticator {
    pub user_id: Uuid,
    pub tenant_id: Option<Uuid>,
    pub sealed: Vec<u8>,
    pub nonce: Vec<u8>,
    /// The time step of the last code that was accepted.
    pub last_step: i64,
    pub confirmed_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// The stored form of a recovery code.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = recovery_codes)]
pub(crate) struct RecoveryCode {
    pub id: Uuid,
    pub user_id: Uuid,
    pub tenant_id: Option<Uuid>,
    pub key_id: String,
    pub mac: Vec<u8>,
    pub used_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

pub(crate) async fn find(mut conn: &Conn, user: Uuid) -> Result<Option<Authenticator>, TxError> {
    let row = authenticators::table.find(user).select(Authenticator::as_select());
    Ok(row.first(&mut conn).await.optional()?)
}

/// Stores a new one, in place of one that was not confirmed.
pub(crate) async fn replace_unconfirmed(conn: &mut Conn, row: &Authenticator) -> Result<(), TxError> {
    let unconfirmed = authenticators::table.find(row.user_id).filter(authenticators::confirmed_at.is_null());
    diesel::delete(unconfirmed).execute(conn).await?;
    diesel::insert_into(authenticators::table).values(row).execute(conn).await?;
    Ok(())
}

/// Uses up a time step; false when a code of this step, or of a later one, was accepted before.
pub(crate) async fn use_step(conn: &mut Conn, user: Uuid, step: i64) -> Result<bool, TxError> {
    let earlier = authenticators::table.find(user).filter(authenticators::last_step.lt(step));
    Ok(diesel::update(earlier).set(authenticators::last_step.eq(step)).execute(conn).await? == 1)
}

pub(crate) async fn confirm(conn: &mut Conn, user: Uuid, now: DateTime<Utc>) -> Result<(), TxError> {
    let row = authenticators::table.find(user);
    diesel::update(row).set(authenticators::confirmed_at.eq(now)).execute(conn).await?;
    Ok(())
}

/// Removes the authenticator of a user with its recovery codes; false when there was none.
pub(crate) async fn remove(conn: &mut Conn, user: Uuid) -> Result<bool, TxError> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(user))).execute(conn).await?;
    diesel::update(users::table.find(user)).set(users::totp_enabled.eq(false)).execute(conn).await?;
    Ok(diesel::delete(authenticators::table.find(user)).execute(conn).await? == 1)
}

pub(crate) async fn insert_recovery_codes(conn: &mut Conn, rows: &[RecoveryCode]) -> Result<(), TxError> {
    diesel::insert_into(recovery_codes::table).values(rows).execute(conn).await?;
    Ok(())
}

/// The recovery codes of a user that were not used.
pub(crate) async fn unused_recovery_codes(mut conn: &Conn, user: Uuid) -> Result<Vec<RecoveryCode>, TxError> {
    Ok(recovery_codes::table
        .filter(recovery_codes::user_id.eq(user))
        .filter(recovery_codes::used_at.is_null())
        .select(RecoveryCode::as_select())
        .load(&mut conn)
        .await?)
}

/// Uses up a recovery code; false when it was used before.
pub(crate) async fn use_recovery_code(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> Result<bool, TxError> {
    let unused = recovery_codes::table.find(id).filter(recovery_codes::used_at.is_null());
    Ok(diesel::update(unused).set(recovery_codes::used_at.eq(now)).execute(conn).await? == 1)
}

/// Every authenticator; needs the worker's scope.
pub(crate) async fn all(mut conn: &Conn) -> Result<Vec<Authenticator>, TxError> {
    Ok(authenticators::table.select(Authenticator::as_select()).load(&mut conn).await?)
}

/// Stores a secret sealed with another key, unless the user has another secret meanwhile.
pub(crate) async fn reseal(
    conn: &mut Conn,
    user: Uuid,
    old_nonce: &[u8],
    (sealed, nonce): (&[u8], &[u8]),
) -> Result<(), TxError> {
    let row = authenticators::table.find(user).filter(authenticators::nonce.eq(old_nonce));
    diesel::update(row).set((authenticators::sealed.eq(sealed), authenticators::nonce.eq(nonce))).execute(conn).await?;
    Ok(())
}
