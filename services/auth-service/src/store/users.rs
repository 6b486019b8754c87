use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::{TenantId, UserId};
use kit_pg::{Conn, TxError, of_tenant};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::schema::{tenants, users};

#[derive(Clone, Debug, Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = users)]
pub(crate) struct User {
    pub id: Uuid,
    pub tenant_id: Option<Uuid>,
    pub role: String,
    pub username: String,
    pub username_norm: String,
    pub email: String,
    pub email_norm: String,
    pub first_name: String,
    pub last_name: String,
    pub phone_no: String,
    #[serde(skip)]
    pub password_hash: String,
    pub is_verified: bool,
    pub is_active: bool,
    pub totp_enabled: bool,
    pub token_version: i64,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
    pub deleted_by: Option<Uuid>,
}

impl User {
    /// The name that is shown: the full name, or the username when there is none.
    pub(crate) fn display_name(&self) -> String {
        let name = format!("{} {}", self.first_name, self.last_name);
        if name.trim().is_empty() { self.username.clone() } else { name.trim().to_owned() }
    }
}

type Query<'a> = users::BoxedQuery<'a, Pg>;

/// All users of a tenant, or the SUPER_ADMINs.
fn of_realm<'a>(realm: Option<TenantId>) -> Query<'a> {
    match realm {
        Some(id) => users::table.filter(of_tenant(users::tenant_id, id)).into_boxed(),
        None => users::table.filter(users::tenant_id.is_null()).into_boxed(),
    }
}

pub(crate) async fn insert(conn: &mut Conn, row: &User) -> Result<(), TxError> {
    diesel::insert_into(users::table).values(row).execute(conn).await?;
    Ok(())
}

/// A live user of the tenant (of the platform without one) by e-mail (when `identifier` holds an `@`) or username, both in their compared form.
pub(crate) async fn find_by_identifier(
    mut conn: &Conn,
    realm: Option<TenantId>,
    identifier: &str,
) -> Result<Option<User>, TxError> {
    let live = of_realm(realm).filter(users::deleted_at.is_null());
    let query = if identifier.contains('@') {
        live.filter(users::email_norm.eq(identifier))
    } else {
        live.filter(users::username_norm.eq(identifier))
    };
    Ok(query.select(User::as_select()).first(&mut conn).await.optional()?)
}

/// The account with this e-mail: the live one, or else the one that was deleted last.
pub(crate) async fn find_by_email_also_deleted(
    mut conn: &Conn,
    id: TenantId,
    email: &str,
) -> Result<Option<User>, TxError> {
    Ok(of_realm(Some(id))
        .filter(users::email_norm.eq(email))
        .order(users::deleted_at.desc().nulls_first())
        .select(User::as_select())
        .first(&mut conn)
        .await
        .optional()?)
}

/// True when a live user other than `except` has the username.
pub(crate) async fn username_taken(
    mut conn: &Conn,
    id: TenantId,
    username: &str,
    except: Option<Uuid>,
) -> Result<bool, TxError> {
    let holders = users::table
        .filter(of_tenant(users::tenant_id, id))
        .filter(users::username_norm.eq(username))
        .filter(users::deleted_at.is_null())
        .filter(users::id.ne(except.unwrap_or_default()));
    Ok(diesel::select(exists(holders)).get_result(&mut conn).await?)
}

/// A user of the realm by id, also a deleted one.
pub(crate) async fn find(mut conn: &Conn, realm: Option<TenantId>, id: UserId) -> Result<User, TxError> {
    Ok(of_realm(realm).filter(users::id.eq(id.0)).select(User::as_select()).first(&mut conn).await?)
}

/// A live ADMIN of any tenant; needs the platform's scope.
pub(crate) async fn find_admin(mut conn: &Conn, id: UserId) -> Result<User, TxError> {
    let live =
        users::table.filter(users::id.eq(id.0)).filter(users::role.eq("ADMIN")).filter(users::deleted_at.is_null());
    Ok(live.select(User::as_select()).first(&mut conn).await?)
}

/// Live users of a tenant among `ids`.
pub(crate) async fn find_many(mut conn: &Conn, id: TenantId, ids: &[Uuid]) -> Result<Vec<User>, TxError> {
    let found = of_realm(Some(id)).filter(users::id.eq_any(ids.to_vec())).filter(users::deleted_at.is_null());
    Ok(found.select(User::as_select()).load(&mut conn).await?)
}

pub(crate) async fn tenant_name(mut conn: &Conn, id: Option<Uuid>) -> Result<Option<String>, TxError> {
    let Some(id) = id else { return Ok(None) };
    Ok(tenants::table.find(id).select(tenants::name).first(&mut conn).await.optional()?)
}

/// The name of the tenant that a user belongs to.
pub(crate) async fn tenant_name_of_user(mut conn: &Conn, id: UserId) -> Result<Option<String>, TxError> {
    let of_user = users::table.filter(users::id.eq(id.0)).select(users::tenant_id);
    let tenant = tenants::table.filter(tenants::id.nullable().eq_any(of_user));
    Ok(tenant.select(tenants::name).first(&mut conn).await.optional()?)
}

/// Marks the e-mail of a user as verified.
pub(crate) async fn set_verified(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> Result<(), TxError> {
    diesel::update(users::table.find(id))
        .set((users::is_verified.eq(true), users::version.eq(users::version + 1), users::updated_at.eq(now)))
        .execute(conn)
        .await?;
    Ok(())
}

/// The columns that a verified registration overwrites in an unverified or self-deleted account.
#[derive(AsChangeset)]
#[diesel(table_name = users)]
pub(crate) struct Claimed {
    pub username: String,
    pub username_norm: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub phone_no: String,
    pub password_hash: String,
}

pub(crate) async fn claim(conn: &mut Conn, id: Uuid, claimed: &Claimed, now: DateTime<Utc>) -> Result<(), TxError> {
    diesel::update(users::table.find(id))
        .set((
            claimed,
            users::is_verified.eq(true),
            users::deleted_at.eq(None::<DateTime<Utc>>),
            users::deleted_by.eq(None::<Uuid>),
            users::token_version.eq(users::token_version + 1),
            users::version.eq(users::version + 1),
            users::updated_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Sets a password and raises the token version; returns the new one.
pub(crate) async fn set_password(conn: &mut Conn, id: Uuid, hash: &str, now: DateTime<Utc>) -> Result<i64, TxError> {
    Ok(diesel::update(users::table.find(id))
        .set((
            users::password_hash.eq(hash),
            users::token_version.eq(users::token_version + 1),
            users::version.eq(users::version + 1),
            users::updated_at.eq(now),
        ))
        .returning(users::token_version)
        .get_result(conn)
        .await?)
}
