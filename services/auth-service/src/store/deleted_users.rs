//! Deleted users, and the operations that delete and restore them.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit::ids::{TenantId, UserId};
use kit::page::Page;
use kit_pg::{Conn, TxError, of_tenant};
use uuid::Uuid;

use super::users::User;
use crate::schema::{tenants, user_operations, users};

/// A deletion or restoration of a user.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = user_operations)]
pub(crate) struct Operation {
    pub id: Uuid,
    pub tenant_id: Uuid,
    pub user_id: Uuid,
    /// The user's version after it.
    pub version: i64,
    /// `DELETE` or `RESTORE`.
    pub kind: String,
    pub actor_id: Uuid,
    pub restore_data: bool,
    pub created_at: DateTime<Utc>,
}

pub(crate) async fn insert_operation(conn: &mut Conn, row: &Operation) -> Result<(), TxError> {
    diesel::insert_into(user_operations::table).values(row).execute(conn).await?;
    Ok(())
}

/// The last operations of a user, the oldest first.
pub(crate) async fn operations(
    mut conn: &Conn,
    id: TenantId,
    user: Uuid,
    most: i64,
) -> Result<Vec<Operation>, TxError> {
    let mut newest: Vec<Operation> = user_operations::table
        .filter(of_tenant(user_operations::tenant_id, id))
        .filter(user_operations::user_id.eq(user))
        .order(user_operations::version.desc())
        .limit(most)
        .select(Operation::as_select())
        .load(&mut conn)
        .await?;
    newest.reverse();
    Ok(newest)
}

/// Deletes a live user and ends every token; returns the row as it is then.
pub(crate) async fn delete(conn: &mut Conn, id: Uuid, by: UserId, now: DateTime<Utc>) -> Result<User, TxError> {
    Ok(diesel::update(users::table.find(id).filter(users::deleted_at.is_null()))
        .set((
            users::deleted_at.eq(now),
            users::deleted_by.eq(by.0),
            users::token_version.eq(users::token_version + 1),
            users::version.eq(users::version + 1),
            users::updated_at.eq(now),
        ))
        .returning(User::as_returning())
        .get_result(conn)
        .await?)
}

/// Restores a deleted user; `verified` says whether the address still counts as proven.
pub(crate) async fn restore(conn: &mut Conn, id: Uuid, verified: bool, now: DateTime<Utc>) -> Result<User, TxError> {
    Ok(diesel::update(users::table.find(id).filter(users::deleted_at.is_not_null()))
        .set((
            users::deleted_at.eq(None::<DateTime<Utc>>),
            users::deleted_by.eq(None::<Uuid>),
            users::is_verified.eq(verified),
            users::token_version.eq(users::token_version + 1),
            users::version.eq(users::version + 1),
            users::updated_at.eq(now),
        ))
        .returning(User::as_returning())
        .get_result(conn)
        .await?)
}

/// Whose deleted users are listed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    /// All of a tenant.
    Tenant(TenantId),
    /// The ADMINs of every tenant; needs the platform's scope.
    Platform,
}

/// Who deleted a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeletionType {
    Itself,
    Admin,
    SuperAdmin,
}

impl DeletionType {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Itself => "self",
            Self::Admin => "admin",
            Self::SuperAdmin => "super_admin",
        }
    }

    /// The type with this name; earlier clients write `super admin`.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let name = name.to_lowercase().replace(' ', "_");
        [Self::Itself, Self::Admin, Self::SuperAdmin].into_iter().find(|kind| kind.name() == name)
    }

    /// ADMINs delete LISTENERs and SUPER_ADMINs delete ADMINs, so the role of the deleted user tells.
    pub(crate) fn of(user: &User) -> Self {
        match user.role.as_str() {
            _ if user.deleted_by == Some(user.id) => Self::Itself,
            "ADMIN" => Self::SuperAdmin,
            _ => Self::Admin,
        }
    }
}

fn deleted<'a>(whose: Whose, kind: Option<DeletionType>) -> users::BoxedQuery<'a, Pg> {
    let query = match whose {
        Whose::Tenant(id) => users::table.filter(of_tenant(users::tenant_id, id)).into_boxed(),
        Whose::Platform => users::table.filter(users::role.eq("ADMIN")).into_boxed(),
    };
    let query = query.filter(users::deleted_at.is_not_null());
    let by_other = users::deleted_by.is_distinct_from(users::id.nullable());
    match kind {
        None => query,
        Some(DeletionType::Itself) => query.filter(users::deleted_by.eq(users::id.nullable())),
        Some(DeletionType::Admin) => query.filter(users::role.eq("LISTENER")).filter(by_other),
        Some(DeletionType::SuperAdmin) => query.filter(users::role.eq("ADMIN")).filter(by_other),
    }
}

pub(crate) async fn count(mut conn: &Conn, whose: Whose, kind: Option<DeletionType>) -> Result<i64, TxError> {
    Ok(deleted(whose, kind).count().get_result(&mut conn).await?)
}

diesel::alias!(users as deleters: Deleters);

/// The deleted users, the last deleted first, each with the username of whoever deleted it and the tenant's name.
pub(crate) async fn list(
    mut conn: &Conn,
    whose: Whose,
    kind: Option<DeletionType>,
    page: &Page,
) -> Result<Vec<(User, Option<String>, String)>, TxError> {
    let newest = deleted(whose, kind).order((users::deleted_at.desc(), users::id.desc()));
    let on_page = newest.limit(page.size.into()).offset(page.offset()).select(users::id);
    let deleter = deleters.on(deleters.field(users::id).nullable().eq(users::deleted_by));
    Ok(users::table
        .inner_join(tenants::table)
        .left_join(deleter)
        .filter(users::id.eq_any(on_page))
        .order((users::deleted_at.desc(), users::id.desc()))
        .select((User::as_select(), deleters.field(users::username).nullable(), tenants::name))
        .load(&mut conn)
        .await?)
}
