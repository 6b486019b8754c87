use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::{TenantId, UserId};
use kit::page::Page;
use kit_pg::{Conn, TxError, contains_any, of_tenant};
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
    /// First name, last name and username in the form that filters compare.
    #[serde(default)]
    pub name_norm: String,
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

/// The condition that a row is of the tenant, or of the platform.
fn in_realm(realm: Option<TenantId>) -> diesel::dsl::IsNotDistinctFrom<users::tenant_id, Option<Uuid>> {
    users::tenant_id.is_not_distinct_from(realm.map(|tenant| tenant.0))
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

/// True when a live user whose e-mail was verified has the username.
pub(crate) async fn username_taken(mut conn: &Conn, id: TenantId, username: &str) -> Result<bool, TxError> {
    let holders = users::table
        .filter(of_tenant(users::tenant_id, id))
        .filter(users::username_norm.eq(username))
        .filter(users::deleted_at.is_null())
        .filter(users::is_verified.eq(true));
    Ok(diesel::select(exists(holders)).get_result(&mut conn).await?)
}

/// A user of the realm by id, also a deleted one.
pub(crate) async fn find(mut conn: &Conn, realm: Option<TenantId>, id: UserId) -> Result<User, TxError> {
    Ok(of_realm(realm).filter(users::id.eq(id.0)).select(User::as_select()).first(&mut conn).await?)
}

/// An ADMIN of any tenant, also a deleted one; needs the platform's scope.
pub(crate) async fn find_admin(mut conn: &Conn, id: UserId) -> Result<User, TxError> {
    let admin = users::table.filter(users::id.eq(id.0)).filter(users::role.eq("ADMIN"));
    Ok(admin.select(User::as_select()).first(&mut conn).await?)
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
    pub name_norm: String,
}

/// Returns the new version.
pub(crate) async fn claim(conn: &mut Conn, id: Uuid, claimed: &Claimed, now: DateTime<Utc>) -> Result<i64, TxError> {
    Ok(diesel::update(users::table.find(id))
        .set((
            claimed,
            users::is_verified.eq(true),
            users::totp_enabled.eq(false),
            users::deleted_at.eq(None::<DateTime<Utc>>),
            users::deleted_by.eq(None::<Uuid>),
            users::token_version.eq(users::token_version + 1),
            users::version.eq(users::version + 1),
            users::updated_at.eq(now),
        ))
        .returning(users::version)
        .get_result(conn)
        .await?)
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

/// A user of the realm, also a deleted one, locked until the transaction ends.
pub(crate) async fn find_for_update(conn: &mut Conn, realm: Option<TenantId>, id: UserId) -> Result<User, TxError> {
    let row = users::table.filter(users::id.eq(id.0)).select(User::as_select()).for_update();
    Ok(match realm {
        Some(tenant) => row.filter(of_tenant(users::tenant_id, tenant)).first(conn).await?,
        None => row.filter(users::tenant_id.is_null()).first(conn).await?,
    })
}

/// The columns that a person or an administrator changes; `None` leaves one as it is.
#[derive(Clone, Debug, Default, AsChangeset)]
#[diesel(table_name = users)]
pub(crate) struct Change {
    pub username: Option<String>,
    pub username_norm: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub phone_no: Option<String>,
    pub is_active: Option<bool>,
    pub name_norm: Option<String>,
    /// The new one, when every token of the user has to die.
    pub token_version: Option<i64>,
}

/// Changes a user that was locked in this transaction.
pub(crate) async fn update(conn: &mut Conn, id: Uuid, change: &Change, now: DateTime<Utc>) -> Result<User, TxError> {
    Ok(diesel::update(users::table.find(id))
        .set((change, users::version.eq(users::version + 1), users::updated_at.eq(now)))
        .returning(User::as_returning())
        .get_result(conn)
        .await?)
}

/// Replaces a password hash by one of the same password, unless the password was changed meanwhile. No token dies.
pub(crate) async fn rehash(
    conn: &mut Conn,
    realm: Option<TenantId>,
    id: Uuid,
    old: &str,
    new: &str,
) -> Result<(), TxError> {
    let same = users::table.find(id).filter(in_realm(realm)).filter(users::password_hash.eq(old));
    diesel::update(same).set(users::password_hash.eq(new)).execute(conn).await?;
    Ok(())
}

/// Says whether the user has a confirmed authenticator.
pub(crate) async fn set_totp(conn: &mut Conn, id: Uuid, enabled: bool, now: DateTime<Utc>) -> Result<(), TxError> {
    diesel::update(users::table.find(id))
        .set((users::totp_enabled.eq(enabled), users::version.eq(users::version + 1), users::updated_at.eq(now)))
        .execute(conn)
        .await?;
    Ok(())
}

/// The filters of lists of users; a row has to match one of the values of each filter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// In the form of `name_norm`.
    pub names: Vec<String>,
    /// In the form of `email_norm`.
    pub emails: Vec<String>,
    pub roles: Vec<String>,
    pub is_active: Option<bool>,
    pub tenants: Vec<Uuid>,
}

fn filtered<'a>(query: Query<'a>, filter: &'a Filter) -> Query<'a> {
    let mut query = query.filter(users::deleted_at.is_null());
    if !filter.names.is_empty() {
        query = query.filter(contains_any(users::name_norm, &filter.names));
    }
    if !filter.emails.is_empty() {
        query = query.filter(contains_any(users::email_norm, &filter.emails));
    }
    if !filter.roles.is_empty() {
        query = query.filter(users::role.eq_any(&filter.roles));
    }
    if !filter.tenants.is_empty() {
        query = query.filter(users::tenant_id.eq_any(&filter.tenants));
    }
    if let Some(is_active) = filter.is_active {
        query = query.filter(users::is_active.eq(is_active));
    }
    query
}

pub(crate) async fn count(mut conn: &Conn, id: TenantId, filter: &Filter) -> Result<i64, TxError> {
    Ok(filtered(of_realm(Some(id)), filter).count().get_result(&mut conn).await?)
}

/// The live users of a tenant, the newest first.
pub(crate) async fn list(mut conn: &Conn, id: TenantId, filter: &Filter, page: &Page) -> Result<Vec<User>, TxError> {
    let newest = filtered(of_realm(Some(id)), filter).order((users::created_at.desc(), users::id.desc()));
    Ok(newest.limit(page.size.into()).offset(page.offset()).select(User::as_select()).load(&mut conn).await?)
}

/// The ADMINs of every tenant; needs the platform's scope.
fn admins<'a>() -> Query<'a> {
    users::table.filter(users::role.eq("ADMIN")).into_boxed()
}

pub(crate) async fn count_admins(mut conn: &Conn, filter: &Filter) -> Result<i64, TxError> {
    Ok(filtered(admins(), filter).count().get_result(&mut conn).await?)
}

/// The live ADMINs of every tenant, the newest first, each with the tenant's name and whether it is active; needs the
/// platform's scope.
pub(crate) async fn list_admins(
    mut conn: &Conn,
    filter: &Filter,
    page: &Page,
) -> Result<Vec<(User, String, bool)>, TxError> {
    let newest = filtered(admins(), filter).order((users::created_at.desc(), users::id.desc()));
    let on_page = newest.limit(page.size.into()).offset(page.offset()).select(users::id);
    Ok(users::table
        .inner_join(tenants::table)
        .filter(users::id.eq_any(on_page))
        .order((users::created_at.desc(), users::id.desc()))
        .select((User::as_select(), tenants::name, tenants::is_active))
        .load(&mut conn)
        .await?)
}

/// Users whose names were written by a version that did not search them; needs the worker's scope.
pub(crate) async fn without_search_name(mut conn: &Conn, most: i64) -> Result<Vec<User>, TxError> {
    let rows = users::table.filter(users::name_norm.eq("")).order(users::id).limit(most);
    Ok(rows.select(User::as_select()).load(&mut conn).await?)
}

/// Stores the search form of the names of a user that have no other.
pub(crate) async fn fill_search_name(
    conn: &mut Conn,
    realm: Option<TenantId>,
    id: Uuid,
    name: &str,
) -> Result<(), TxError> {
    let row = users::table.find(id).filter(in_realm(realm)).filter(users::name_norm.eq(""));
    diesel::update(row).set(users::name_norm.eq(name)).execute(conn).await?;
    Ok(())
}

/// True when a live user has a hash of the earlier system; needs the worker's scope.
pub(crate) async fn old_hashes_exist(mut conn: &Conn) -> Result<bool, TxError> {
    // The index is for literals only.
    let old = users::table
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(
            "(password_hash LIKE 'pbkdf2%' OR password_hash LIKE 'argon2$%')",
        ))
        .filter(users::deleted_at.is_null());
    Ok(diesel::select(exists(old)).get_result(&mut conn).await?)
}
