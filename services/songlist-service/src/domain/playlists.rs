use futures_util::future::try_join;
use kit::caller::{Caller, Role};
use kit::error::Faults;
use kit::ids::{TenantId, UserId};
use kit::page::{At, Page, Paged, cursor, parse_cursor};
use kit::text::{clean_lines, required};
use kit::{Code, Error};
use kit_pg::{Conn, IdempotencyKey, Once, ReadScope, Scope};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::normalise::compared_name;
use crate::App;
use crate::store::playlist_entries::{self, Entry, EntrySong};
use crate::store::playlists::{self, Playlist};
use crate::store::{tenant_songs, user_content};

/// The most playlists of one user.
const MAX_PLAYLISTS: i64 = 500;
/// The most songs in one playlist.
const MAX_ENTRIES: i64 = 10_000;
/// The most songs that are added at once.
const MAX_ADDED: usize = 500;

/// The caller, the tenant, and the owner to whose playlists the caller is limited: a LISTENER to the own ones, an ADMIN
/// is not limited within the tenant.
fn limited_to(caller: &Caller) -> Result<(UserId, TenantId, Option<UserId>), Error> {
    let (user, tenant, role) = caller.tenant_user()?;
    Ok((user, tenant, (role == Role::Listener).then_some(user)))
}

pub(crate) async fn create(
    app: &App,
    caller: &Caller,
    name: &str,
    description: &str,
    owner: Option<&str>,
) -> Result<Once<Playlist>, Error> {
    let (user, tenant, limit) = limited_to(caller)?;
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
    let (_, tenant, limit) = limited_to(caller)?;
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
    let (_, tenant, limit) = limited_to(caller)?;
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

/// The songs of a playlist in order.
pub(crate) async fn entries(app: &App, caller: &Caller, id: &str, page: &Page) -> Result<Paged<EntrySong>, Error> {
    let (_, tenant, limit) = limited_to(caller)?;
    let id = kit::ids::parse(id)?;
    let after_cursor: Option<i64> = match &page.at {
        At::Cursor { after, .. } if !after.is_empty() => Some(parse_cursor(after)?),
        _ => None,
    };
    // Positions have no gaps, so the first position of a numbered page is known.
    let after = after_cursor.unwrap_or_else(|| page.offset());
    let (playlist, rows) = app
        .pg
        .read(Scope::Tenant(tenant).one_plan(), async |conn: &Conn| {
            let playlist = playlists::find(conn, tenant, limit, id);
            try_join(playlist, playlist_entries::list(conn, tenant, id, after, page.size.into())).await
        })
        .await?;
    page.check_range(playlist.song_count)?;
    let last = rows.last().map_or(after, |row| row.position);
    let next_cursor = (last < playlist.song_count).then(|| cursor(&last));
    Ok(Paged { rows, count: page.counted().then_some(playlist.song_count), next_cursor })
}

/// The result of adding songs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Added {
    pub added: u64,
    pub already_present: Vec<String>,
    pub not_found: Vec<String>,
    pub playlist: Playlist,
}

/// Adds approved songs. For a single song the answer is 404 when it is unknown and 409 when it is present already; for
/// a list both are reported.
pub(crate) async fn add_entries(
    app: &App,
    caller: &Caller,
    id: &str,
    songs: &[String],
    single: bool,
    position: Option<u32>,
) -> Result<Once<Added>, Error> {
    let (_, tenant, limit) = limited_to(caller)?;
    let id = kit::ids::parse(id)?;
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let mut key = IdempotencyKey::claim(conn, caller, "playlists.add").await?;
            if let Some(earlier) = key.replay()? {
                return Ok(earlier);
            }
            let playlist = playlists::find_for_update(conn, tenant, limit, id).await?;
            if songs.is_empty() || songs.len() > MAX_ADDED {
                return Err(Error::invalid("tenant_song_ids", format!("Send 1 to {MAX_ADDED} ids.")).into());
            }
            // What is no id is not repeated in the answer, which may be kept for a day.
            let malformed = songs.iter().position(|text| Uuid::try_parse(text).is_err());
            if let Some(place) = malformed.filter(|_| !single) {
                return Err(Error::invalid(&format!("tenant_song_ids[{place}]"), "Not an id.").into());
            }
            let wanted = distinct(songs);
            let approved = tenant_songs::approved(conn, tenant, &wanted).await?;
            let present = playlist_entries::present(conn, tenant, id, &wanted).await?;
            let is_approved = |id: &Uuid| approved.iter().any(|(known, _)| known == id);
            let not_found: Vec<String> = songs
                .iter()
                .filter(|text| Uuid::try_parse(text).map_or(true, |id| !is_approved(&id)))
                .cloned()
                .collect();
            if single && !not_found.is_empty() {
                return Err(Error::not_found().into());
            }
            if single && !present.is_empty() {
                return Err(Error::new(Code::AlreadyPresent).into());
            }
            let new: Vec<Uuid> = wanted.iter().filter(|id| is_approved(id) && !present.contains(id)).copied().collect();
            let added = i64::try_from(new.len()).unwrap_or(i64::MAX);
            if playlist.song_count + added > MAX_ENTRIES {
                return Err(Error::new(Code::PlaylistFull)
                    .message(format!("A playlist holds {MAX_ENTRIES} songs."))
                    .into());
            }
            let end = playlist.song_count + 1;
            let first = position.map_or(end, |place| i64::from(place).clamp(1, end));
            if first < end && added > 0 {
                playlist_entries::shift(conn, tenant, id, first, added).await?;
            }
            let rows: Vec<Entry> = new
                .iter()
                .zip(first..)
                .map(|(song, position)| Entry {
                    playlist_id: id,
                    tenant_song_id: *song,
                    tenant_id: tenant.0,
                    position,
                    added_at: now,
                })
                .collect();
            playlist_entries::insert(conn, &rows).await?;
            let seconds = approved
                .iter()
                .filter(|(song, _)| new.contains(song))
                .map(|(_, duration)| i64::from(duration.unwrap_or(0)))
                .sum();
            let playlist =
                if added > 0 { playlists::changed(conn, tenant, id, (added, seconds), now).await? } else { playlist };
            let already_present = present.iter().map(ToString::to_string).collect();
            let added = u64::try_from(added).unwrap_or(0);
            key.keep(conn, now, Added { added, already_present, not_found, playlist }).await
        })
        .await
}

/// The texts that are ids, in their order and without duplicates.
fn distinct(texts: &[String]) -> Vec<Uuid> {
    let mut ids = Vec::new();
    for id in texts.iter().filter_map(|text| Uuid::try_parse(text).ok()) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// Removes a song from a playlist; the songs after it move up.
pub(crate) async fn remove_entry(app: &App, caller: &Caller, id: &str, song: &str) -> Result<(), Error> {
    let (_, tenant, limit) = limited_to(caller)?;
    let (id, song) = (kit::ids::parse(id)?, kit::ids::parse(song)?);
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            playlists::find_for_update(conn, tenant, limit, id).await?;
            let deleted = playlist_entries::delete(conn, tenant, id, song).await?;
            let (position, duration) = deleted.ok_or_else(Error::not_found)?;
            playlist_entries::shift(conn, tenant, id, position + 1, -1).await?;
            playlists::changed(conn, tenant, id, (-1, -i64::from(duration.unwrap_or(0))), now).await?;
            Ok(())
        })
        .await
}
