use std::collections::HashMap;

use kit::caller::Caller;
use kit::error::Faults;
use kit::ids::{TenantId, UserId};
use kit::page::{Page, Paged};
use kit::text::{clean_lines, required};
use kit::{Code, Error};
use kit_pg::{Conn, IdempotencyKey, Once, ReadScope, Scope};
use uuid::Uuid;

use super::audit::{self, Event};
use super::normalise::compared_name;
use super::read_only::{self, check_version};
use crate::App;
use crate::store::playlists::{self, Playlist};
use crate::store::user_content;

/// The most playlists of one user.
const MAX_PLAYLISTS: i64 = 500;

pub(crate) async fn create(
    app: &App,
    caller: &Caller,
    name: &str,
    description: &str,
    owner: Option<&str>,
) -> Result<Once<Playlist>, Error> {
    let (user, tenant, limit) = caller.limited_to_own()?;
    let owner = match owner {
        None => user,
        Some(_) if limit.is_some() => return Err(Error::read_only("user_id")),
        Some(text) => {
            let owner = UserId::parse(text)?;
            if owner != user && !app.peers.user_exists(tenant, owner).await? {
                return Err(Error::not_found());
            }
            owner
        }
    };
    let mut faults = Faults::default();
    let name = faults.check("name", required(name, 255)).unwrap_or_default();
    let description = faults.check("description", clean_lines(description, 2_000)).unwrap_or_default();
    faults.finish()?;
    let now = app.clock.now();
    let row = Playlist {
        id: kit::ids::new_v7(),
        tenant_id: tenant.0,
        user_id: owner.0,
        name_norm: compared_name(&name),
        name,
        description,
        song_count: 0,
        total_duration: 0,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let mut key = IdempotencyKey::claim(conn, caller, "playlists.create").await?;
            if let Some(earlier) = key.replay()? {
                return Ok(earlier);
            }
            if playlists::count(conn, tenant, Some(owner)).await? >= MAX_PLAYLISTS {
                let text = format!("{MAX_PLAYLISTS} playlists are the most. Delete some before you make more.");
                return Err(Error::new(Code::QuotaExceeded).message(text).into());
            }
            user_content::require_live(conn, tenant, owner).await?;
            playlists::insert(conn, &row).await?;
            key.keep(conn, now, row.clone()).await
        })
        .await
}

/// The scope of a numbered page: for every page except the first, a good plan depends on the number of skipped rows.
fn page_scope(tenant: TenantId, page: &Page) -> ReadScope {
    let scope = Scope::Tenant(tenant);
    if page.offset() == 0 { scope.one_plan() } else { scope.search() }
}

pub(crate) async fn get(app: &App, caller: &Caller, id: &str) -> Result<Playlist, Error> {
    let (_, tenant, limit) = caller.limited_to_own()?;
    let id = kit::ids::parse(id)?;
    let scope = Scope::Tenant(tenant).one_plan();
    app.pg.read(scope, async |conn: &Conn| playlists::find(conn, tenant, limit, id).await).await
}

pub(crate) async fn list(
    app: &App,
    caller: &Caller,
    owner: Option<&str>,
    page: &Page,
) -> Result<Paged<Playlist>, Error> {
    let (_, tenant, limit) = caller.limited_to_own()?;
    let owner = match (limit, owner) {
        (Some(_), Some(_)) => return Err(Error::read_only("user_id")),
        (Some(own), None) => Some(own),
        (None, Some(text)) => Some(UserId(Uuid::try_parse(text).unwrap_or_default())),
        (None, None) => None,
    };
    let (count, rows) = app
        .pg
        .read(page_scope(tenant, page), async |conn: &Conn| {
            kit_pg::page(page, playlists::count(conn, tenant, owner), playlists::list(conn, tenant, owner, page)).await
        })
        .await?;
    Ok(Paged { rows, count, next_cursor: None })
}

/// A change as it was received; a field that is missing stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub name: Option<String>,
    pub description: Option<String>,
    pub read_only: HashMap<String, String>,
    pub if_version: Option<i64>,
}

/// Changes the name or the description of a playlist.
///
/// # Errors
/// `read_only_field`, `precondition_failed`, `playlist_exists`.
pub(crate) async fn update(app: &App, caller: &Caller, id: &str, change: &Change) -> Result<Playlist, Error> {
    let (_, tenant, limit) = caller.limited_to_own()?;
    let id = kit::ids::parse(id)?;
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let old = playlists::find_for_update(conn, tenant, limit, id).await?;
            let mut faults = Faults::default();
            let name = change.name.as_ref().and_then(|name| faults.check("name", required(name, 255)));
            let description =
                change.description.as_ref().and_then(|text| faults.check("description", clean_lines(text, 2_000)));
            faults.finish()?;
            read_only::check(&change.read_only, &shown(&old))?;
            check_version(old.version, change.if_version)?;
            let name = name.unwrap_or_else(|| old.name.clone());
            let description = description.unwrap_or_else(|| old.description.clone());
            if (&name, &description) == (&old.name, &old.description) {
                return Ok(old);
            }
            let new = Playlist {
                name_norm: compared_name(&name),
                name,
                description,
                version: old.version + 1,
                updated_at: app.clock.now(),
                ..old
            };
            playlists::update(conn, tenant, &new).await?;
            Ok(new)
        })
        .await
}

fn shown(row: &Playlist) -> [(&'static str, read_only::Shown); 7] {
    [
        ("id", row.id.into()),
        ("user", row.user_id.into()),
        ("song_count", row.song_count.into()),
        ("total_duration", row.total_duration.into()),
        ("version", row.version.into()),
        ("created_at", row.created_at.into()),
        ("updated_at", row.updated_at.into()),
    ]
}

/// Deletes a playlist. What its owner deletes never comes back; what an ADMIN deletes does when the owner is restored with
/// everything.
///
/// # Errors
/// `precondition_failed`.
pub(crate) async fn delete(app: &App, caller: &Caller, id: &str, if_version: Option<i64>) -> Result<(), Error> {
    let (user, tenant, limit) = caller.limited_to_own()?;
    let id = kit::ids::parse(id)?;
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let old = playlists::find_for_update(conn, tenant, limit, id).await?;
            check_version(old.version, if_version)?;
            playlists::delete(conn, tenant, id, user, now).await?;
            if old.user_id == user.0 {
                return Ok(());
            }
            audit::record(conn, app, caller, Event::success(Some(tenant.0), "playlist_delete", id)).await
        })
        .await
}
