//! Many songs at once: put on a tenant's list, taken off it, approved and withdrawn.

use std::collections::HashSet;

use kit::caller::Caller;
use kit::ids::TenantId;
use kit::{Code, Error};
use kit_pg::{Conn, IdempotencyKey, Once, Scope, TxError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::audit::{self, Event};
use super::linking::Linked;
use super::normalise::compared;
use crate::App;
use crate::store::songs::{self, Catalogue};
use crate::store::tenant_songs::{self, Link};
use crate::store::{genres, link_changes};

/// The most ids or names in one list of a request.
const MAX_VALUES: usize = 1_000;
/// The most songs that are put on a list at once.
const MAX_MATCHES: usize = 50_000;
/// Links that are written by one statement.
const BATCH: usize = 1_000;

/// Which songs are wanted: those that one of the lists names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub songs: Vec<String>,
    pub genres: Vec<String>,
    pub artists: Vec<String>,
    pub is_active: bool,
}

/// What became of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Added {
    pub added: u64,
    pub already_linked: u64,
    /// Ids and artists for which there is no song.
    pub not_found: Vec<String>,
}

/// Puts GLOBAL songs and the tenant's own on its list.
///
/// # Errors
/// `too_many_songs`, `quota_exceeded`.
pub(crate) async fn link(app: &App, caller: &Caller, wanted: &Wanted) -> Result<Once<Added>, Error> {
    let (_, tenant) = caller.admin()?;
    let lists = [("song_ids", &wanted.songs), ("genre_ids", &wanted.genres), ("artists", &wanted.artists)];
    if lists.iter().all(|(_, values)| values.is_empty()) {
        return Err(Error::invalid("non_field_errors", "Name songs, genres or artists."));
    }
    for (name, values) in lists {
        if values.len() > MAX_VALUES {
            return Err(Error::invalid(name, format!("Send {MAX_VALUES} at most.")));
        }
    }
    let songs = ids("song_ids", &wanted.songs)?;
    let genre_ids = ids("genre_ids", &wanted.genres)?;
    if let Some(place) = wanted.artists.iter().position(|name| name.trim().is_empty() || name.chars().count() > 255) {
        return Err(Error::invalid(&format!("artists[{place}]"), "Write 1 to 255 characters."));
    }
    let now = app.clock.now();
    // Many rows are locked, so one at a time; the next one waits here, where it holds no connection.
    let _turn = app.bulk_links.of(&tenant).await?;
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let mut key = IdempotencyKey::claim(conn, caller, "tenant_songs.link_many").await?;
            if let Some(earlier) = key.replay()? {
                return Ok(earlier);
            }
            let (matches, not_found) = matching(conn, tenant, &songs, &genre_ids, &wanted.artists).await?;
            let mut list = Linked::default();
            for batch in matches.chunks(BATCH) {
                let rows = songs::find_many(conn, Catalogue::TenantAndGlobal(tenant), batch).await?;
                let links: Vec<Link> = rows.iter().map(|song| Link::new(tenant, song, wanted.is_active)).collect();
                let linked = tenant_songs::link(conn, tenant, &links, now).await?;
                list.add(&links, &linked);
            }
            let added = list.total;
            list.finish(conn, tenant).await?;
            if added > 0 {
                let event = Event::success(Some(tenant.0), "tenant_song_link", tenant.0);
                audit::record(conn, app, caller, event).await?;
            }
            let already_linked = count(matches.len().saturating_sub(added));
            key.keep(conn, now, Added { added: count(added), already_linked, not_found }).await
        })
        .await
}

/// The songs that are wanted, and what there is none for.
async fn matching(
    conn: &mut Conn,
    tenant: TenantId,
    song_ids: &[Uuid],
    genre_ids: &[Uuid],
    artists: &[String],
) -> Result<(Vec<Uuid>, Vec<String>), TxError> {
    let seen = Catalogue::TenantAndGlobal(tenant);
    let limit = i64::try_from(MAX_MATCHES + 1).unwrap_or(i64::MAX);
    let forms: Vec<String> = artists.iter().map(|name| compared(name)).collect();
    let by_id = songs::ids_among(conn, seen, song_ids).await?;
    let by_genre = songs::ids_of_genres(conn, seen, genre_ids, limit).await?;
    let by_artist = songs::ids_by_artists(conn, seen, &forms, limit).await?;
    let known_genres = genres::live_among(conn, genre_ids).await?;
    let lacks = |id: &&Uuid, known: &[Uuid]| !known.contains(id);
    let mut not_found: Vec<String> = song_ids.iter().filter(|id| lacks(id, &by_id)).map(Uuid::to_string).collect();
    not_found.extend(genre_ids.iter().filter(|id| lacks(id, &known_genres)).map(Uuid::to_string));
    let found: HashSet<&str> = by_artist.iter().map(|(_, form)| form.as_str()).collect();
    let unknown = artists.iter().zip(&forms).filter(|(_, form)| !found.contains(form.as_str()));
    not_found.extend(unknown.map(|(name, _)| name.clone()));
    let mut matches: Vec<Uuid> = Vec::new();
    let mut taken = HashSet::new();
    for id in by_id.into_iter().chain(by_genre).chain(by_artist.iter().map(|(id, _)| *id)) {
        if taken.insert(id) {
            matches.push(id);
        }
    }
    if matches.len() > MAX_MATCHES {
        return Err(Error::new(Code::TooManySongs).into());
    }
    // Whoever links several songs takes them in one order, so that two of them wait for each other and no deadlock is made.
    matches.sort_unstable();
    Ok((matches, not_found))
}

/// Takes songs off the tenant's list; the ids that were not on it are returned.
pub(crate) async fn unlink(app: &App, caller: &Caller, sent: &[String]) -> Result<(u64, Vec<String>), Error> {
    let (_, tenant) = caller.admin()?;
    let wanted = one_to_a_thousand(sent)?;
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let removed = link_changes::unlink(conn, tenant, &wanted, now).await?;
            record(conn, app, caller, tenant, "tenant_song_unlink", &removed).await?;
            Ok((count(removed.len()), missing(&wanted, &removed)))
        })
        .await
}

/// How many links were approved or withdrawn, how many were in that state already, and the ids that are not on the list.
pub(crate) async fn set_active(
    app: &App,
    caller: &Caller,
    sent: &[String],
    active: bool,
) -> Result<(u64, u64, Vec<String>), Error> {
    let (_, tenant) = caller.admin()?;
    let wanted = one_to_a_thousand(sent)?;
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let changed = link_changes::set_active(conn, tenant, &wanted, active, now).await?;
            let known = tenant_songs::live_among(conn, tenant, &wanted).await?;
            let action = if active { "tenant_song_approve" } else { "tenant_song_withdraw" };
            record(conn, app, caller, tenant, action, &changed).await?;
            let unchanged = known.len().saturating_sub(changed.len());
            Ok((count(changed.len()), count(unchanged), missing(&wanted, &known)))
        })
        .await
}

/// Takes one song off the tenant's list.
pub(crate) async fn unlink_one(app: &App, caller: &Caller, id: &str) -> Result<(), Error> {
    caller.admin()?;
    let id = kit::ids::parse(id)?;
    let (removed, _) = unlink(app, caller, &[id.to_string()]).await?;
    if removed == 0 { Err(Error::not_found()) } else { Ok(()) }
}

/// One event for all of them, about the link when there is one and otherwise about the tenant.
async fn record(
    conn: &mut Conn,
    app: &App,
    caller: &Caller,
    tenant: TenantId,
    action: &'static str,
    links: &[Uuid],
) -> Result<(), TxError> {
    let target = match links {
        [] => return Ok(()),
        [one] => *one,
        _ => tenant.0,
    };
    audit::record(conn, app, caller, Event::success(Some(tenant.0), action, target)).await
}

fn one_to_a_thousand(sent: &[String]) -> Result<Vec<Uuid>, Error> {
    if sent.is_empty() || sent.len() > MAX_VALUES {
        return Err(Error::invalid("tenant_song_ids", format!("Send 1 to {MAX_VALUES} ids.")));
    }
    ids("tenant_song_ids", sent)
}

/// Ids as they were sent, without duplicates.
fn ids(field: &str, sent: &[String]) -> Result<Vec<Uuid>, Error> {
    let mut seen = HashSet::new();
    let mut ids = Vec::with_capacity(sent.len());
    for (place, text) in sent.iter().enumerate() {
        let id = Uuid::try_parse(text).map_err(|_bad| Error::invalid(&format!("{field}[{place}]"), "Not an id."))?;
        if seen.insert(id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

fn missing(wanted: &[Uuid], known: &[Uuid]) -> Vec<String> {
    let known: HashSet<&Uuid> = known.iter().collect();
    wanted.iter().filter(|id| !known.contains(id)).map(Uuid::to_string).collect()
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
