//! The songs of playlists. Their positions count from 1 and have no gaps: a page begins at a known position, and a change
//! renumbers at most the 10,000 songs of one playlist.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use futures_util::future::try_join;
use kit::caller::Caller;
use kit::error::Faults;
use kit::ids::TenantId;
use kit::page::{At, Page, Paged, cursor, parse_cursor};
use kit::{Code, Error};
use kit_pg::{Conn, IdempotencyKey, Once, Scope, TxError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::read_only::check_version;
use crate::App;
use crate::store::playlist_entries::{self, Entry, EntrySong};
use crate::store::playlists::{self, Playlist};
use crate::store::tenant_songs;

/// The most songs in one playlist.
const MAX_ENTRIES: i64 = 10_000;
/// The most songs that are added or removed at once.
const MAX_ADDED: usize = 500;

/// The songs of a playlist in order.
pub(crate) async fn entries(app: &App, caller: &Caller, id: &str, page: &Page) -> Result<Paged<EntrySong>, Error> {
    let (_, tenant, limit) = caller.limited_to_own()?;
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
    let (_, tenant, limit) = caller.limited_to_own()?;
    let id = kit::ids::parse(id)?;
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let mut key = IdempotencyKey::claim(conn, caller, "playlists.add").await?;
            if let Some(earlier) = key.replay()? {
                return Ok(earlier);
            }
            playlists::find(conn, tenant, limit, id).await?;
            let wanted = ids(songs, single)?;
            // Links before playlists, as when a song changes its duration.
            tenant_songs::keep_durations(conn, tenant, &wanted).await?;
            let playlist = playlists::find_for_update(conn, tenant, limit, id).await?;
            let approved: HashMap<Uuid, Option<i16>> =
                tenant_songs::approved(conn, tenant, &wanted).await?.into_iter().collect();
            let present = playlist_entries::present(conn, tenant, id, &wanted).await?;
            let is_approved = |text: &&String| Uuid::try_parse(text).is_ok_and(|id| approved.contains_key(&id));
            let not_found: Vec<String> = songs.iter().filter(|text| !is_approved(text)).cloned().collect();
            if single && !not_found.is_empty() {
                return Err(Error::not_found().into());
            }
            if single && !present.is_empty() {
                return Err(Error::new(Code::AlreadyPresent).into());
            }
            let new: Vec<(Uuid, Option<i16>)> = wanted
                .iter()
                .filter(|id| !present.contains(id))
                .filter_map(|id| approved.get(id).map(|duration| (*id, *duration)))
                .collect();
            let playlist =
                if new.is_empty() { playlist } else { put_in(conn, tenant, &playlist, &new, position, now).await? };
            let already_present = present.iter().map(ToString::to_string).collect();
            let added = u64::try_from(new.len()).unwrap_or(u64::MAX);
            key.keep(conn, now, Added { added, already_present, not_found, playlist }).await
        })
        .await
}

/// Puts songs, each with its duration, before the one that is at `position` now, or at the end; returns the playlist as it is then.
///
/// # Errors
/// `playlist_full`.
async fn put_in(
    conn: &mut Conn,
    tenant: TenantId,
    playlist: &Playlist,
    songs: &[(Uuid, Option<i16>)],
    position: Option<u32>,
    now: DateTime<Utc>,
) -> Result<Playlist, TxError> {
    let added = i64::try_from(songs.len()).unwrap_or(i64::MAX);
    if playlist.song_count + added > MAX_ENTRIES {
        return Err(Error::new(Code::PlaylistFull).message(format!("A playlist holds {MAX_ENTRIES} songs.")).into());
    }
    let end = playlist.song_count + 1;
    let first = position.map_or(end, |place| i64::from(place).clamp(1, end));
    if first < end {
        playlist_entries::shift(conn, tenant, playlist.id, first, added).await?;
    }
    let entry = |((song, _), position): (&(Uuid, Option<i16>), i64)| Entry {
        playlist_id: playlist.id,
        tenant_song_id: *song,
        tenant_id: tenant.0,
        position,
        added_at: now,
    };
    let rows: Vec<Entry> = songs.iter().zip(first..).map(entry).collect();
    playlist_entries::insert(conn, &rows).await?;
    let seconds = songs.iter().map(|(_, duration)| i64::from(duration.unwrap_or(0))).sum();
    playlists::changed(conn, tenant, playlist.id, (added, seconds), now).await
}

/// The ids that are to be added or removed, in their order and without duplicates. A single one may be malformed: it is that of a
/// song that is not there.
fn ids(songs: &[String], single: bool) -> Result<Vec<Uuid>, Error> {
    if songs.is_empty() || songs.len() > MAX_ADDED {
        return Err(Error::invalid("tenant_song_ids", format!("Send 1 to {MAX_ADDED} ids.")));
    }
    // What is no id is not repeated in the answer, which may be kept for a day.
    let malformed = songs.iter().position(|text| Uuid::try_parse(text).is_err());
    match malformed.filter(|_| !single) {
        Some(place) => Err(Error::invalid(&format!("tenant_song_ids[{place}]"), "Not an id.")),
        None => Ok(distinct(songs)),
    }
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
    let song = kit::ids::parse(song);
    // A malformed id is that of a song that is not there, and the playlist is looked at first.
    let wanted = [song.unwrap_or_default().to_string()];
    let removed = remove_entries(app, caller, id, &wanted).await?;
    if removed.deleted == 0 { Err(Error::not_found()) } else { Ok(()) }
}

/// The result of removing songs.
pub(crate) struct Removed {
    pub deleted: u64,
    pub not_found: Vec<String>,
    pub playlist: Playlist,
}

/// Removes songs from a playlist; the songs after them move up.
pub(crate) async fn remove_entries(app: &App, caller: &Caller, id: &str, songs: &[String]) -> Result<Removed, Error> {
    let (_, tenant, limit) = caller.limited_to_own()?;
    let id = kit::ids::parse(id)?;
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            playlists::find(conn, tenant, limit, id).await?;
            let wanted = ids(songs, false)?;
            tenant_songs::keep_durations(conn, tenant, &wanted).await?;
            let playlist = playlists::find_for_update(conn, tenant, limit, id).await?;
            let (removed, seconds) = playlist_entries::delete(conn, tenant, id, &wanted).await?;
            let deleted = i64::try_from(removed.len()).unwrap_or(i64::MAX);
            let playlist = if deleted > 0 {
                playlist_entries::close_gaps(conn, tenant, id).await?;
                playlists::changed(conn, tenant, id, (-deleted, -seconds), now).await?
            } else {
                playlist
            };
            let not_found = wanted.iter().filter(|id| !removed.contains(id)).map(Uuid::to_string).collect();
            Ok(Removed { deleted: u64::try_from(deleted).unwrap_or(0), not_found, playlist })
        })
        .await
}

/// Songs next to each other that move together. Positions count from 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Move {
    pub range_start: i64,
    pub range_length: i64,
    /// The songs are put before the one that is here now; one more than there are songs is the end.
    pub insert_before: i64,
}

/// Moves songs within a playlist.
///
/// # Errors
/// `precondition_required` without the version that the caller has seen, `precondition_failed` when somebody was faster.
pub(crate) async fn move_entries(
    app: &App,
    caller: &Caller,
    id: &str,
    wanted: Move,
    if_version: Option<i64>,
) -> Result<Playlist, Error> {
    let (_, tenant, limit) = caller.limited_to_own()?;
    let id = kit::ids::parse(id)?;
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let playlist = playlists::find_for_update(conn, tenant, limit, id).await?;
            let songs = playlist.song_count;
            let (start, length, before) = (wanted.range_start, wanted.range_length, wanted.insert_before);
            let mut faults = Faults::default();
            if !(1..=songs).contains(&start) {
                faults.add("range_start", "There is no song at this position.");
            }
            if length < 1 || length > songs - start.clamp(1, songs.max(1)) + 1 {
                faults.add("range_length", "There are not as many songs from there on.");
            }
            if !(1..=songs + 1).contains(&before) {
                faults.add("insert_before", "Say a position, or one more than there are songs.");
            }
            faults.finish()?;
            let seen = if_version.ok_or_else(|| Error::new(Code::PreconditionRequired))?;
            check_version(playlist.version, Some(seen))?;
            let end = start + length;
            if (start..=end).contains(&before) {
                return Ok(playlist);
            }
            // The songs between the old and the new place move the other way.
            let (range, others) = if before < start {
                ((start, end, before - start), (before, start, length))
            } else {
                ((start, end, before - end), (end, before, -length))
            };
            playlist_entries::swap(conn, tenant, id, range, others).await?;
            playlists::changed(conn, tenant, id, (0, 0), now).await
        })
        .await
}
