use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use kit::caller::Caller;
use kit::error::Faults;
use kit::ids::TenantId;
use kit::page::{Page, Paged};
use kit::text::required;
use kit::{Code, Error, Kind};
use kit_pg::{Conn, IdempotencyKey, Once, Scope, TxError};
use kit_redis::Subject;
use serde_json::json;
use uuid::Uuid;

use super::identity::{compared, searchable};
use super::{audit, revocations};
use crate::App;
use crate::store::tenants::{self, Change, Filter, Tenant};

/// Slugs that would be ambiguous in a path.
const RESERVED: [&str; 6] = ["songs", "auth", "super-admin", "tenants", "admin", "api"];

/// The most names that are remembered.
const MAX_NAMES: usize = 4_096;

/// The tenants that were resolved, by what they were called. It tells whose share of a queue a request will need before
/// the database is asked, and nothing else: a name may have changed hands since.
#[derive(Default)]
pub(crate) struct KnownNames(Mutex<HashMap<String, TenantId>>);

impl KnownNames {
    /// The tenant that was called so when it was last resolved.
    pub(crate) fn get(&self, name: &str) -> Option<TenantId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    fn remember(&self, name: &str, tenant: TenantId) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.get(name) == Some(&tenant) {
            return;
        }
        if names.len() >= MAX_NAMES {
            names.clear();
        }
        names.insert(name.to_owned(), tenant);
    }
}

/// The active tenant with this id or slug, for paths that name a tenant before sign-in.
///
/// # Errors
/// `tenant_not_found` when it is unknown, inactive or deleted.
pub(crate) async fn resolve(app: &App, text: &str) -> Result<Tenant, Error> {
    let found = app
        .pg
        .read(Scope::Platform.one_plan(), async |conn: &Conn| match Uuid::try_parse(text) {
            Ok(id) => Ok(Some(tenants::find(conn, TenantId(id)).await?)),
            Err(_) if check_slug(&text.to_lowercase()).is_err() => Ok(None),
            Err(_) => tenants::find_by_slug(conn, &text.to_lowercase()).await,
        })
        .await;
    let not_found = || Error::new(Code::TenantNotFound);
    match found {
        Ok(found) => {
            let tenant = found.filter(|tenant| tenant.is_active).ok_or_else(not_found)?;
            app.tenant_names.remember(text, TenantId(tenant.id));
            Ok(tenant)
        }
        Err(error) if error.kind() == Kind::NotFound => Err(not_found()),
        Err(error) => Err(error),
    }
}

/// Creates a tenant; its slug is made from the name when none is given.
pub(crate) async fn create(app: &App, caller: &Caller, name: &str, slug: Option<&str>) -> Result<Once<Tenant>, Error> {
    caller.super_admin()?;
    let mut faults = Faults::default();
    let name = faults.check("name", required(name, 255)).unwrap_or_default();
    let given = slug.and_then(|slug| faults.check("slug", check_slug(slug)));
    faults.finish()?;
    let now = app.clock.now();
    let tenant = app
        .pg
        .transaction(Scope::Platform, async |conn: &mut Conn| {
            let mut key = IdempotencyKey::claim(conn, caller, "tenants.create").await?;
            if let Some(earlier) = key.replay()? {
                return Ok(earlier);
            }
            let slug = match &given {
                Some(slug) => slug.clone(),
                None => free_slug(conn, &name).await?,
            };
            let row = Tenant {
                id: TenantId::new().0,
                name: name.clone(),
                name_norm: compared(&name),
                slug,
                is_active: true,
                is_premium: false,
                premium_version: 0,
                user_count: 0,
                token_version: 1,
                version: 1,
                created_at: now,
                updated_at: now,
                deleted_at: None,
            };
            tenants::insert(conn, &row).await?;
            announce(conn, caller, &row).await?;
            record(conn, app, caller, &row, "tenant_create").await?;
            key.keep(conn, now, row).await
        })
        .await?;
    app.wake.wake();
    Ok(tenant)
}

/// Sends payments-service and songlist-service the fields of a tenant of which they keep copies.
async fn announce(conn: &mut Conn, caller: &Caller, row: &Tenant) -> Result<(), TxError> {
    let message = outbox::NewMessage {
        topic: "tenant.changed",
        tenant_id: Some(row.id),
        aggregate_id: row.id,
        version: row.version,
        payload: json!({ "name": row.name, "is_active": row.is_active, "is_deleted": row.deleted_at.is_some() }),
        request_id: caller.request_id.clone(),
    };
    outbox::emit(conn, message).await
}

async fn record(conn: &mut Conn, app: &App, caller: &Caller, row: &Tenant, action: &str) -> Result<(), TxError> {
    let event = audit::Event { tenant: None, actor: None, action, target: Some(row.id), result: "success" };
    audit::record(conn, app, caller, event).await
}

fn check_slug(slug: &str) -> Result<String, String> {
    let shaped = (3..=63).contains(&slug.len())
        && slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !shaped {
        return Err("Use 3 to 63 of a-z, 0-9 and -.".to_owned());
    }
    if Uuid::try_parse(slug).is_ok() || RESERVED.contains(&slug) {
        return Err("This slug is reserved.".to_owned());
    }
    Ok(slug.to_owned())
}

/// A slug made from the name, with a number when it is taken. A name without Latin letters gets a slug that begins with
/// `tenant`.
async fn free_slug(conn: &mut Conn, name: &str) -> Result<String, TxError> {
    let folded = compared(name);
    let words: Vec<&str> = folded.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut base: String = words.join("-").chars().take(50).collect();
    if check_slug(&base).is_err() {
        base = format!("tenant-{base}").trim_end_matches('-').to_owned();
    }
    for number in 1..100 {
        let slug = if number == 1 { base.clone() } else { format!("{base}-{number}") };
        if check_slug(&slug).is_ok() && !tenants::slug_exists(conn, &slug).await? {
            return Ok(slug);
        }
    }
    Ok(format!("tenant-{}", kit::ids::random().simple()))
}

/// A tenant by id: a SUPER_ADMIN may read any tenant, an ADMIN only the own one.
pub(crate) async fn get(app: &App, caller: &Caller, id: &str) -> Result<Tenant, Error> {
    let id = match caller.admin() {
        Ok((_, own)) => TenantId::parse(id).ok().filter(|id| *id == own).ok_or_else(Error::not_found)?,
        Err(_) => {
            caller.super_admin()?;
            TenantId::parse(id)?
        }
    };
    app.pg.read(Scope::Platform.one_plan(), async |conn: &Conn| tenants::find(conn, id).await).await
}

/// The tenants, the newest first.
pub(crate) async fn list(app: &App, caller: &Caller, mut filter: Filter, page: &Page) -> Result<Paged<Tenant>, Error> {
    caller.super_admin()?;
    for name in &mut filter.name_norm {
        *name = searchable(name);
    }
    let (count, rows) = app
        .pg
        .read(Scope::Platform, async |conn: &Conn| {
            kit_pg::page(page, tenants::count(conn, &filter), tenants::list(conn, &filter, page)).await
        })
        .await?;
    Ok(Paged { rows, count, next_cursor: None })
}

/// A change as it was received; a field that is missing stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Update {
    pub name: Option<String>,
    pub slug: Option<String>,
    pub is_active: Option<bool>,
    /// Fields that cannot be set, as texts: each must have the value that the tenant has.
    pub read_only: HashMap<String, String>,
    pub if_version: Option<i64>,
}

/// Changes a tenant. When it is deactivated, its users are locked out at once.
///
/// # Errors
/// `tenant_exists`, `slug_taken`, `read_only_field`, `precondition_failed`.
pub(crate) async fn update(app: &App, caller: &Caller, id: &str, update: &Update) -> Result<Tenant, Error> {
    caller.super_admin()?;
    let id = TenantId::parse(id)?;
    let find = async |conn: &Conn| tenants::find(conn, id).await;
    app.pg.read(Scope::Platform.one_plan(), find).await?;
    let mut faults = Faults::default();
    let name = update.name.as_ref().and_then(|name| faults.check("name", required(name, 255)));
    let slug = update.slug.as_ref().and_then(|slug| faults.check("slug", check_slug(slug)));
    faults.finish()?;
    let wanted = Change { name_norm: name.as_deref().map(compared), name, slug, ..Change::default() };
    let tenant = app
        .pg
        .transaction(Scope::Platform, async |conn: &mut Conn| {
            let row = tenants::find_for_update(conn, id).await?;
            check_read_only(&row, &update.read_only)?;
            check_version(&row, update.if_version)?;
            let is_active = update.is_active.filter(|active| *active != row.is_active);
            let nothing_else = wanted.name.is_none() && wanted.slug.is_none();
            if is_active.is_none() && nothing_else {
                return Ok(row);
            }
            let token_version = (is_active == Some(false)).then_some(row.token_version + 1);
            let change = Change { is_active, token_version, ..wanted.clone() };
            let action = match is_active {
                Some(true) => "tenant_activate",
                Some(false) => "tenant_deactivate",
                None => "tenant_update",
            };
            change_and_tell(conn, app, caller, id, &change, action).await
        })
        .await?;
    app.wake.wake();
    Ok(tenant)
}

/// Activates or deactivates a tenant. Repeating it changes nothing.
pub(crate) async fn set_active(app: &App, caller: &Caller, id: &str, active: bool) -> Result<Tenant, Error> {
    update(app, caller, id, &Update { is_active: Some(active), ..Update::default() }).await
}

/// Deletes a tenant without live users. Its slug is not given to another one.
///
/// # Errors
/// `tenant_has_users`, `precondition_failed`.
pub(crate) async fn delete(app: &App, caller: &Caller, id: &str, if_version: Option<i64>) -> Result<(), Error> {
    caller.super_admin()?;
    let (id, now) = (TenantId::parse(id)?, app.clock.now());
    app.pg
        .transaction(Scope::Platform, async |conn: &mut Conn| {
            let row = tenants::find_for_update(conn, id).await?;
            check_version(&row, if_version)?;
            if row.user_count > 0 {
                return Err(Error::new(Code::TenantHasUsers).into());
            }
            let change = Change {
                is_active: Some(false),
                token_version: Some(row.token_version + 1),
                deleted_at: Some(now),
                ..Change::default()
            };
            change_and_tell(conn, app, caller, id, &change, "tenant_delete").await
        })
        .await?;
    app.wake.wake();
    Ok(())
}

/// Changes a locked tenant; every token dies when its version is raised. Other services and the audit are told.
async fn change_and_tell(
    conn: &mut Conn,
    app: &App,
    caller: &Caller,
    id: TenantId,
    change: &Change,
    action: &str,
) -> Result<Tenant, TxError> {
    let row = tenants::update(conn, id, change, app.clock.now()).await?;
    if change.token_version.is_some() {
        revocations::revoke(conn, caller, Subject::Tenant(id), row.token_version).await?;
    }
    announce(conn, caller, &row).await?;
    record(conn, app, caller, &row, action).await?;
    Ok(row)
}

fn check_version(row: &Tenant, if_version: Option<i64>) -> Result<(), Error> {
    match if_version {
        Some(version) if version != row.version => Err(Error::new(Code::PreconditionFailed)),
        _ => Ok(()),
    }
}

fn check_read_only(row: &Tenant, sent: &HashMap<String, String>) -> Result<(), Error> {
    let is_at = |text: &str, at: Option<DateTime<Utc>>| match at {
        Some(at) => DateTime::parse_from_rfc3339(text).is_ok_and(|sent| sent == at),
        None => text.is_empty(),
    };
    for (name, text) in sent {
        let same = match name.as_str() {
            "id" => *text == row.id.to_string(),
            "is_premium" => *text == row.is_premium.to_string(),
            "user_count" => *text == row.user_count.to_string(),
            "created_at" => is_at(text, Some(row.created_at)),
            "updated_at" => is_at(text, Some(row.updated_at)),
            "deleted_at" => is_at(text, row.deleted_at),
            _ => false,
        };
        if !same {
            return Err(Error::read_only(name));
        }
    }
    Ok(())
}
