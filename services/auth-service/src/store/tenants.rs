use chrono::{DateTime, Utc};
use diesel::dsl::{exists, sql};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use kit::ids::TenantId;
use kit::page::Page;
use kit_pg::{Conn, TxError, contains_any};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::schema::tenants;

/// The name as filters compare it, as `domain::identity::searchable` makes it of what is looked for. Tenants are few, and a
/// text within a name has no index either way.
const SEARCHABLE: &str =
    "normalize(regexp_replace(normalize(tenants.name_norm, NFKD), '[\\u0300-\\u036f]', '', 'g'), NFC)";

#[derive(Clone, Debug, Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = tenants)]
pub(crate) struct Tenant {
    pub id: Uuid,
    pub name: String,
    pub name_norm: String,
    pub slug: String,
    pub is_active: bool,
    pub is_premium: bool,
    pub premium_version: i64,
    pub user_count: i64,
    pub token_version: i64,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

/// The filters of the list; a row has to match one of the values of each filter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub name_norm: Vec<String>,
    pub is_active: Option<bool>,
    pub is_premium: Option<bool>,
    /// Deleted tenants too.
    pub include_deleted: bool,
}

pub(crate) async fn insert(conn: &mut Conn, row: &Tenant) -> Result<(), TxError> {
    diesel::insert_into(tenants::table).values(row).execute(conn).await?;
    Ok(())
}

pub(crate) async fn find(mut conn: &Conn, id: TenantId) -> Result<Tenant, TxError> {
    let live = tenants::table.find(id.0).filter(tenants::deleted_at.is_null());
    Ok(live.select(Tenant::as_select()).first(&mut conn).await?)
}

pub(crate) async fn find_by_slug(mut conn: &Conn, slug: &str) -> Result<Option<Tenant>, TxError> {
    let live = tenants::table.filter(tenants::slug.eq(slug)).filter(tenants::deleted_at.is_null());
    Ok(live.select(Tenant::as_select()).first(&mut conn).await.optional()?)
}

pub(crate) async fn slug_exists(mut conn: &Conn, slug: &str) -> Result<bool, TxError> {
    Ok(diesel::select(exists(tenants::table.filter(tenants::slug.eq(slug)))).get_result(&mut conn).await?)
}

fn filtered(filter: &Filter) -> tenants::BoxedQuery<'_, Pg> {
    let mut query = tenants::table.into_boxed();
    if !filter.include_deleted {
        query = query.filter(tenants::deleted_at.is_null());
    }
    if !filter.name_norm.is_empty() {
        query = query.filter(contains_any(sql::<Text>(SEARCHABLE), &filter.name_norm));
    }
    if let Some(is_active) = filter.is_active {
        query = query.filter(tenants::is_active.eq(is_active));
    }
    if let Some(is_premium) = filter.is_premium {
        query = query.filter(tenants::is_premium.eq(is_premium));
    }
    query
}

pub(crate) async fn count(mut conn: &Conn, filter: &Filter) -> Result<i64, TxError> {
    Ok(filtered(filter).count().get_result(&mut conn).await?)
}

pub(crate) async fn list(mut conn: &Conn, filter: &Filter, page: &Page) -> Result<Vec<Tenant>, TxError> {
    let newest = filtered(filter).order((tenants::created_at.desc(), tenants::id.desc()));
    Ok(newest.limit(page.size.into()).offset(page.offset()).select(Tenant::as_select()).load(&mut conn).await?)
}

/// Changes the number of users: `1` for a new user, `-1` for a deleted one. A deleted tenant gets no user.
pub(crate) async fn add_user_count(conn: &mut Conn, id: TenantId, by: i64) -> Result<(), TxError> {
    let changed = diesel::update(tenants::table.find(id.0).filter(tenants::deleted_at.is_null()))
        .set(tenants::user_count.eq(tenants::user_count + by))
        .execute(conn)
        .await?;
    if changed == 1 { Ok(()) } else { Err(kit::Error::new(kit::Code::TenantNotFound).into()) }
}

/// A live tenant, locked until the transaction ends.
pub(crate) async fn find_for_update(conn: &mut Conn, id: TenantId) -> Result<Tenant, TxError> {
    let live = tenants::table.find(id.0).filter(tenants::deleted_at.is_null());
    Ok(live.select(Tenant::as_select()).for_update().first(conn).await?)
}

/// The columns that a SUPER_ADMIN changes; `None` leaves one as it is.
#[derive(Clone, Debug, Default, AsChangeset)]
#[diesel(table_name = tenants)]
pub(crate) struct Change {
    pub name: Option<String>,
    pub name_norm: Option<String>,
    pub slug: Option<String>,
    pub is_active: Option<bool>,
    /// The new one, when every token of the tenant has to die.
    pub token_version: Option<i64>,
    pub deleted_at: Option<DateTime<Utc>>,
}

/// Changes a tenant that was locked in this transaction.
pub(crate) async fn update(
    conn: &mut Conn,
    id: TenantId,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<Tenant, TxError> {
    Ok(diesel::update(tenants::table.find(id.0))
        .set((change, tenants::version.eq(tenants::version + 1), tenants::updated_at.eq(now)))
        .returning(Tenant::as_returning())
        .get_result(conn)
        .await?)
}

/// Every live tenant with its number of users, by name.
pub(crate) async fn user_counts(mut conn: &Conn) -> Result<Vec<(Uuid, String, i64)>, TxError> {
    Ok(tenants::table
        .filter(tenants::deleted_at.is_null())
        .order((tenants::name_norm, tenants::id))
        .select((tenants::id, tenants::name, tenants::user_count))
        .load(&mut conn)
        .await?)
}

/// Applies a premium event unless a newer one was applied.
pub(crate) async fn set_premium(conn: &mut Conn, id: TenantId, premium: bool, version: i64) -> Result<(), TxError> {
    diesel::update(tenants::table.find(id.0).filter(tenants::premium_version.lt(version)))
        .set((
            tenants::is_premium.eq(premium),
            tenants::premium_version.eq(version),
            tenants::version.eq(tenants::version + 1),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
