use kit::caller::{Caller, Role};
use kit::page::{Page, Paged};
use kit::{Code, Error};
use kit_pg::{Conn, IdempotencyKey, Once, Scope, page_of_either_end};
use uuid::Uuid;

use super::audit::{self, Event};
use super::filters::{RawFilters, cut};
use super::linking::Linked;
use super::normalise::compared;
use super::search::{self, Place};
use crate::App;
use crate::store::filters::{Key, SortBy};
use crate::store::songs::{self, Catalogue};
use crate::store::tenant_songs::{self, Link, TenantSong};
use crate::store::{link_changes, tenant_artists, tenant_song_pages};

/// The route under which answers are kept for repeated requests. The number changes with the form of the answer.
const LINK_ROUTE: &str = "tenant_songs.link.2";

/// Puts a GLOBAL song or one of the tenant's own on the tenant's list; a link that was removed is restored.
///
/// # Errors
/// `already_linked`.
pub(crate) async fn link(app: &App, caller: &Caller, song: &str, is_active: bool) -> Result<Once<TenantSong>, Error> {
    let (_, tenant) = caller.admin()?;
    let id = kit::ids::parse(song)?;
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let mut key = IdempotencyKey::claim(conn, caller, LINK_ROUTE).await?;
            if let Some(earlier) = key.replay()? {
                return Ok(earlier);
            }
            let song = songs::find(conn, Catalogue::TenantAndGlobal(tenant), id).await?;
            let links = [Link::new(tenant, &song, is_active)];
            let mut linked = tenant_songs::link(conn, tenant, &links, now).await?;
            let mut list = Linked::default();
            list.add(&links, &linked);
            let link = linked.pop().ok_or_else(|| Error::new(Code::AlreadyLinked))?;
            list.finish(conn, tenant).await?;
            audit::record(conn, app, caller, Event::success(Some(tenant.0), "tenant_song_link", link.id)).await?;
            key.keep(conn, now, link).await
        })
        .await
}

/// A song on the list; LISTENERs see approved ones only.
pub(crate) async fn get(app: &App, caller: &Caller, id: &str) -> Result<TenantSong, Error> {
    let (_, tenant, role) = caller.tenant_user()?;
    let id = kit::ids::parse(id)?;
    let scope = Scope::Tenant(tenant).one_plan();
    let found = app.pg.read(scope, async |conn: &Conn| tenant_songs::find(conn, tenant, id).await).await?;
    if role == Role::Listener && !found.is_active { Err(Error::not_found()) } else { Ok(found) }
}

/// Approves or withdraws a song.
pub(crate) async fn set_active(app: &App, caller: &Caller, id: &str, active: bool) -> Result<TenantSong, Error> {
    let (_, tenant) = caller.admin()?;
    let id = kit::ids::parse(id)?;
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            if !link_changes::set_active(conn, tenant, &[id], active, now).await?.is_empty() {
                let action = if active { "tenant_song_approve" } else { "tenant_song_withdraw" };
                audit::record(conn, app, caller, Event::success(Some(tenant.0), action, id)).await?;
            }
            tenant_songs::find(conn, tenant, id).await
        })
        .await
}

/// The tenant's list; LISTENERs see approved songs only.
pub(crate) async fn list(
    app: &App,
    caller: &Caller,
    mut raw: RawFilters,
    page: &Page,
) -> Result<Paged<TenantSong>, Error> {
    let (_, tenant, role) = caller.tenant_user()?;
    if role == Role::Listener {
        raw.is_active = match raw.is_active {
            None | Some(true) => Some(true),
            Some(false) => return Err(Error::invalid("is_active", "You see approved songs only.")),
        };
    }
    let listing = raw.check(page)?;
    if listing.order.by == SortBy::Duration {
        return Err(Error::invalid("ordering", "This list cannot be ordered by that."));
    }
    let filters = listing.resolved(&*app.genre_names.current(&app.pg).await?);
    let (scope, window) = (listing.scope(Scope::Tenant(tenant), page), listing.window(page));
    let (count, rows) = app
        .pg
        .read(scope, async |conn: &Conn| {
            let mut filters = filters.clone();
            if !filters.artist.is_empty() {
                filters.artists = tenant_artists::few_with(conn, tenant, &filters.artist).await?;
            }
            if let Some(typed) = &listing.q {
                let found = search::find(conn, Place::List(tenant), &filters, typed).await?;
                let rows = async |ids: Vec<Uuid>| tenant_songs::find_many(conn, tenant, &ids).await;
                return search::page(page, window, found, rows, |row| row.id).await;
            }
            let (order, after) = (listing.order, listing.after.as_ref());
            // Of a page by cursor the count is that of the whole list.
            if !filters.plain() && (!page.counted() || after.is_none()) {
                let few = tenant_song_pages::few_matching(conn, tenant, &filters, order, after, window, page.counted())
                    .await?;
                if let Some((count, rows)) = few {
                    page.check_range(count)?;
                    return Ok((page.counted().then_some(count), rows));
                }
            }
            let rows = |count| tenant_song_pages::list(conn, tenant, &filters, order, after, window, count);
            page_of_either_end(page, window, tenant_song_pages::count(conn, tenant, &filters), rows).await
        })
        .await?;
    let (rows, next_cursor) = cut(rows, page, |row| listing.next_cursor(page, &key(row, listing.order.by)));
    Ok(Paged { rows, count, next_cursor })
}

/// The key of a song in a list with this order.
fn key(row: &TenantSong, by: SortBy) -> Key {
    match by {
        SortBy::Title => Key::Text(compared(&row.title), row.id),
        SortBy::Artist => Key::Text(compared(&row.artist), row.id),
        SortBy::ReleaseYear => Key::Number(Some(row.release_year), row.id),
        SortBy::CreatedAt | SortBy::Duration => Key::Time(row.created_at, row.id),
    }
}
