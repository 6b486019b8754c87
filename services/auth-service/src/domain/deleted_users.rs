//! Deletion and restoration of users. Each is recorded as an operation, which other services replay in order to hide and
//! bring back what the user has made.

use chrono::{DateTime, SecondsFormat, Utc};
use kit::caller::{Caller, Role};
use kit::ids::{TenantId, UserId};
use kit::page::{Page, Paged};
use kit::{Error, Result, Secret};
use kit_pg::{Conn, Scope, TxError};
use serde_json::{Value, json};

use super::users::Profile;
use super::{audit, managed, notices, reauthentication, sessions};
use crate::App;
use crate::mail::Template;
use crate::store::deleted_users::{self, DeletionType, Operation, Whose};
use crate::store::users::{self, User};
use crate::store::{self};

/// The topic that tells other services of operations.
pub(crate) const TOPIC: &str = "user.operations";
/// The most operations in one message.
const MAX_SENT: i64 = 50;
const UNKNOWN_TYPE: &str = "Say self, admin or super_admin.";

/// Deletes the caller's own account; only LISTENERs may.
///
/// # Errors
/// `permission_denied`, `reauthentication_required`, `precondition_failed`.
pub(crate) async fn delete_own(
    app: &App,
    caller: &Caller,
    password: Option<&Secret>,
    if_version: Option<i64>,
) -> Result<()> {
    let (id, tenant, role) = caller.tenant_user()?;
    if role != Role::Listener {
        return Err(Error::forbidden());
    }
    let find = async |conn: &mut Conn| users::find(conn, Some(tenant), id).await;
    let user = app.pg.transaction(Scope::Tenant(tenant), find).await?;
    reauthentication::require(app, caller, &user, password).await?;
    delete(app, caller, tenant, id, if_version, id).await
}

/// Deletes a user that the caller manages.
///
/// # Errors
/// `use_users_me`, `permission_denied`, `precondition_failed`.
pub(crate) async fn delete_managed(app: &App, caller: &Caller, id: &str, if_version: Option<i64>) -> Result<()> {
    let (found, _) = managed::live(app, caller, id).await?;
    delete(app, caller, found.tenant, found.id, if_version, found.by).await
}

async fn delete(
    app: &App,
    caller: &Caller,
    tenant: TenantId,
    id: UserId,
    if_version: Option<i64>,
    by: UserId,
) -> Result<()> {
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let user = managed::lock(conn, Some(tenant), id, if_version).await?;
            let deleted = deleted_users::delete(conn, user.id, by, now).await?;
            store::tenants::add_user_count(conn, tenant, -1).await?;
            sessions::end_all(conn, app, caller, user.id, deleted.token_version, "deleted").await?;
            store::challenges::void_others(conn, user.tenant_id, user.id, &user.email_norm, now).await?;
            store::authenticators::remove(conn, user.id).await?;
            operation(conn, caller, tenant, &deleted, Kind::Delete, by, now).await?;
            audit::record(conn, app, caller, audit::Event::success(user.tenant_id, "user_delete", user.id)).await
        })
        .await?;
    app.wake.wake();
    Ok(())
}

/// Restores a deleted user that the caller manages. The user has no sessions then, and one who had deleted the account
/// proves the e-mail again first.
///
/// # Errors
/// `email_taken` and `username_taken` when somebody else has them now.
pub(crate) async fn restore(app: &App, caller: &Caller, id: &str, restore_data: bool) -> Result<Profile> {
    let (found, _) = managed::find(app, caller, id).await?;
    let now = app.clock.now();
    let profile = app
        .pg
        .transaction(Scope::Tenant(found.tenant), async |conn: &mut Conn| {
            let user = users::find_for_update(conn, Some(found.tenant), found.id).await?;
            if user.deleted_at.is_none() {
                return Err(Error::not_found().into());
            }
            kit_pg::forget_answers(conn, found.tenant, found.id).await?;
            let by_self = user.deleted_by == Some(user.id);
            let restored = deleted_users::restore(conn, user.id, user.is_verified && !by_self, now).await?;
            store::tenants::add_user_count(conn, found.tenant, 1).await?;
            operation(conn, caller, found.tenant, &restored, Kind::Restore { data: restore_data }, found.by, now)
                .await?;
            if restored.is_verified {
                notices::notify(conn, caller, &restored, Template::AccountRestored).await?;
            }
            audit::record(conn, app, caller, audit::Event::success(user.tenant_id, "user_restore", user.id)).await?;
            let tenant_name = users::tenant_name(conn, user.tenant_id).await?;
            Ok(Profile { user: restored, tenant_name })
        })
        .await?;
    app.wake.wake();
    Ok(profile)
}

/// What an operation does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Delete,
    /// With `data`, what others than the user have deleted comes back.
    Restore {
        data: bool,
    },
}

/// Records an operation, and sends the other services all operations of the user in their order: one whose message comes
/// late was applied with a later one.
pub(crate) async fn operation(
    conn: &mut Conn,
    caller: &Caller,
    tenant: TenantId,
    user: &User,
    kind: Kind,
    actor: UserId,
    now: DateTime<Utc>,
) -> Result<(), TxError> {
    let row = Operation {
        id: kit::ids::new_v7(),
        tenant_id: tenant.0,
        user_id: user.id,
        version: user.version,
        kind: if matches!(kind, Kind::Delete) { "DELETE" } else { "RESTORE" }.to_owned(),
        actor_id: actor.0,
        restore_data: matches!(kind, Kind::Restore { data: true }),
        created_at: now,
    };
    deleted_users::insert_operation(conn, &row).await?;
    let mut operations = deleted_users::operations(conn, tenant, user.id, MAX_SENT + 1).await?;
    // A consumer that has not applied the one before the first of these waits for it.
    let before = i64::try_from(operations.len()).is_ok_and(|found| found > MAX_SENT);
    let after = if before { operations.remove(0).version } else { 0 };
    let message = outbox::NewMessage {
        topic: TOPIC,
        tenant_id: Some(tenant.0),
        aggregate_id: user.id,
        version: user.version,
        payload: json!({ "operations": operations.iter().map(described).collect::<Vec<_>>(), "after": after }),
        request_id: caller.request_id.clone(),
    };
    outbox::emit(conn, message).await
}

fn described(row: &Operation) -> Value {
    json!({
        "version": row.version,
        "kind": row.kind,
        "actor_id": row.actor_id,
        "restore_data": row.restore_data,
        "at": row.created_at.to_rfc3339_opts(SecondsFormat::Micros, true),
    })
}

/// A deleted user with what is told of the deletion.
pub(crate) struct Deleted {
    pub user: User,
    pub deletion: DeletionType,
    pub deleted_by_username: Option<String>,
    pub tenant_name: String,
}

/// The deleted users that the caller may restore, the last deleted first.
pub(crate) async fn list(app: &App, caller: &Caller, kind: Option<&str>, page: &Page) -> Result<Paged<Deleted>> {
    let scope = Scope::of(caller)?;
    let whose = match scope.tenant() {
        Some(tenant) => caller.admin().map(|_| Whose::Tenant(tenant))?,
        None => caller.super_admin().map(|_| Whose::Platform)?,
    };
    let kind = match kind {
        Some(name) => Some(DeletionType::of_name(name).ok_or_else(|| Error::invalid("deletion_type", UNKNOWN_TYPE))?),
        None => None,
    };
    let (count, rows) = app
        .pg
        .read(scope.plan_each_time(), async |conn: &Conn| {
            let rows = deleted_users::list(conn, whose, kind, page);
            kit_pg::page(page, deleted_users::count(conn, whose, kind), rows).await
        })
        .await?;
    let deleted = |(user, deleted_by_username, tenant_name): (User, Option<String>, String)| Deleted {
        deletion: DeletionType::of(&user),
        user,
        deleted_by_username,
        tenant_name,
    };
    Ok(Paged { rows: rows.into_iter().map(deleted).collect(), count, next_cursor: None })
}
