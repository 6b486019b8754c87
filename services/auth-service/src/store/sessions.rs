use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit_pg::{Conn, OldRows, TxError};
use uuid::Uuid;

use crate::schema::{refresh_tokens, sessions};

/// Sessions by the time they were ended or expired; their tokens are deleted with them.
pub(crate) const OLD: OldRows = OldRows { table: "sessions", condition: "least(revoked_at, expires_at) < $1" };

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
pub(crate) struct SessionRow {
    pub id: Uuid,
    pub tenant_id: Option<Uuid>,
    pub user_id: Uuid,
    pub client_net: Option<String>,
    pub user_agent: Option<String>,
    pub auth_time: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub revoked_cause: Option<String>,
}

/// The claims of a refresh token; the token itself is not stored.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = refresh_tokens)]
pub(crate) struct RefreshRow {
    pub id: Uuid,
    pub tenant_id: Option<Uuid>,
    pub session_id: Uuid,
    pub parent_id: Option<Uuid>,
    pub kid: String,
    pub access_id: Uuid,
    pub ver: i64,
    pub tver: i64,
    pub issued_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
}

pub(crate) async fn insert(conn: &mut Conn, row: &SessionRow) -> Result<(), TxError> {
    diesel::insert_into(sessions::table).values(row).execute(conn).await?;
    Ok(())
}

pub(crate) async fn find(mut conn: &Conn, id: Uuid) -> Result<SessionRow, TxError> {
    Ok(sessions::table.find(id).select(SessionRow::as_select()).first(&mut conn).await?)
}

/// True when a user of the realm was signed in from a network before.
pub(crate) async fn came_from(
    mut conn: &Conn,
    realm: Option<TenantId>,
    user: Uuid,
    network: &str,
) -> Result<bool, TxError> {
    let from = sessions::table
        .filter(sessions::tenant_id.is_not_distinct_from(realm.map(|tenant| tenant.0)))
        .filter(sessions::user_id.eq(user))
        .filter(sessions::client_net.eq(network));
    Ok(diesel::select(diesel::dsl::exists(from)).get_result(&mut conn).await?)
}

pub(crate) async fn touch(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> Result<(), TxError> {
    diesel::update(sessions::table.find(id)).set(sessions::last_used_at.eq(now)).execute(conn).await?;
    Ok(())
}

/// Ends a session; false when it was ended before.
pub(crate) async fn revoke(conn: &mut Conn, id: Uuid, cause: &str, now: DateTime<Utc>) -> Result<bool, TxError> {
    let live = sessions::table.find(id).filter(sessions::revoked_at.is_null());
    let ended = diesel::update(live)
        .set((sessions::revoked_at.eq(now), sessions::revoked_cause.eq(cause)))
        .execute(conn)
        .await?;
    Ok(ended == 1)
}

/// The live sessions of a user of the realm, the one used last first. One that was not renewed for `idle` cannot be any more.
pub(crate) async fn live_of(
    mut conn: &Conn,
    realm: Option<TenantId>,
    user: Uuid,
    now: DateTime<Utc>,
    idle: chrono::Duration,
    most: i64,
) -> Result<Vec<SessionRow>, TxError> {
    let live = sessions::table
        .filter(sessions::tenant_id.is_not_distinct_from(realm.map(|tenant| tenant.0)))
        .filter(sessions::user_id.eq(user))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::last_used_at.gt(now - idle));
    let newest = live.order((sessions::last_used_at.desc(), sessions::id)).limit(most);
    Ok(newest.select(SessionRow::as_select()).load(&mut conn).await?)
}

/// Ends the sessions of a user except one; returns those that it ended.
pub(crate) async fn revoke_others(
    conn: &mut Conn,
    realm: Option<TenantId>,
    user: Uuid,
    except: Uuid,
    cause: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, TxError> {
    let others = sessions::table
        .filter(sessions::tenant_id.is_not_distinct_from(realm.map(|tenant| tenant.0)))
        .filter(sessions::user_id.eq(user))
        .filter(sessions::id.ne(except))
        .filter(sessions::revoked_at.is_null());
    Ok(diesel::update(others)
        .set((sessions::revoked_at.eq(now), sessions::revoked_cause.eq(cause)))
        .returning(sessions::id)
        .get_results(conn)
        .await?)
}

/// Ends every session of a user.
pub(crate) async fn revoke_all(conn: &mut Conn, user: Uuid, cause: &str, now: DateTime<Utc>) -> Result<(), TxError> {
    let live = sessions::table.filter(sessions::user_id.eq(user)).filter(sessions::revoked_at.is_null());
    diesel::update(live).set((sessions::revoked_at.eq(now), sessions::revoked_cause.eq(cause))).execute(conn).await?;
    Ok(())
}

pub(crate) async fn insert_refresh(conn: &mut Conn, row: &RefreshRow) -> Result<(), TxError> {
    diesel::insert_into(refresh_tokens::table).values(row).execute(conn).await?;
    Ok(())
}

/// Marks a refresh token as used in one conditional statement; false when it was used before.
pub(crate) async fn use_refresh(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> Result<bool, TxError> {
    let unused = refresh_tokens::table.find(id).filter(refresh_tokens::used_at.is_null());
    Ok(diesel::update(unused).set(refresh_tokens::used_at.eq(now)).execute(conn).await? == 1)
}

/// A refresh token and its session, both locked until the transaction ends; `None` when it is unknown.
pub(crate) async fn lock_presented(conn: &mut Conn, id: Uuid) -> Result<Option<(RefreshRow, SessionRow)>, TxError> {
    Ok(refresh_tokens::table
        .find(id)
        .inner_join(sessions::table)
        .select((RefreshRow::as_select(), SessionRow::as_select()))
        .for_update()
        .first(conn)
        .await
        .optional()?)
}

/// The one successor of a refresh token.
pub(crate) async fn find_successor(mut conn: &Conn, parent: Uuid) -> Result<Option<RefreshRow>, TxError> {
    let child = refresh_tokens::table.filter(refresh_tokens::parent_id.eq(parent));
    Ok(child.select(RefreshRow::as_select()).first(&mut conn).await.optional()?)
}
