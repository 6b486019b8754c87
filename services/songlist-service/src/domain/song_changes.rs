//! Changes and deletion of songs.

use std::collections::HashMap;

use kit::caller::Caller;
use kit::error::Faults;
use kit::{Code, Error};
use kit_pg::{Conn, Scope};

use super::artwork;
use super::audit::{self, Event};
use super::read_only::{self, check_version};
use super::song_copies::follow;
use super::songs::{Input, live_genre, lock, writer};
use crate::App;
use crate::store::songs::{self, Song};

/// A change as it was received; a field that is missing stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub title: Option<String>,
    pub artist: Option<String>,
    pub album: Option<String>,
    /// The genre's id.
    pub genre: Option<String>,
    pub duration: Option<i64>,
    pub release_year: Option<i64>,
    /// Of duration and release year, those that become unknown.
    pub clear: Vec<String>,
    pub read_only: HashMap<String, String>,
    pub if_version: Option<i64>,
}

impl Change {
    fn of(&self, song: &Song) -> Input {
        let number = |name: &str, sent: Option<i64>, now: Option<i16>| match sent {
            None if self.clear.iter().any(|cleared| cleared == name) => None,
            sent => sent.or(now.map(i64::from)),
        };
        let text = |sent: &Option<String>, now: &str| sent.clone().unwrap_or_else(|| now.to_owned());
        Input {
            title: text(&self.title, &song.title),
            artist: text(&self.artist, &song.artist),
            album: text(&self.album, &song.album),
            genre: text(&self.genre, &song.genre_id.to_string()),
            duration: number("duration", self.duration, song.duration),
            release_year: number("release_year", self.release_year, song.release_year),
        }
    }
}

/// Changes a song, and with it what lists and playlists show of it: for a TENANT song in the same transaction, for a
/// GLOBAL one soon after.
///
/// # Errors
/// `permission_denied`, `read_only_field`, `precondition_failed`, `song_exists`.
pub(crate) async fn update(app: &App, caller: &Caller, id: &str, change: &Change) -> Result<(Song, String), Error> {
    let id = kit::ids::parse(id)?;
    let (_, owner) = writer(caller)?;
    let changed = app
        .pg
        .transaction(Scope::tenant_or_platform(owner), async |conn: &mut Conn| {
            let (old, owner) = lock(conn, caller, id).await?;
            let mut faults = Faults::default();
            let input = change.of(&old);
            let checked = input.check(&app.clock, &mut faults);
            let genre = faults.check("genre", live_genre(conn, &input.genre).await?);
            faults.finish()?;
            let genre = genre.ok_or_else(Error::not_found)?;
            let had = live_genre(conn, &old.genre_id.to_string()).await?.map_or(String::new(), |genre| genre.name);
            read_only::check(&change.read_only, &shown(app, &old, &had))?;
            check_version(old.version, change.if_version)?;
            let new = Song {
                id,
                user_id: old.user_id,
                artwork: old.artwork.clone(),
                version: old.version + 1,
                created_at: old.created_at,
                ..checked.row(owner, writer(caller)?.0, genre.id, &app.clock)
            };
            if new.is_as(&old) {
                return Ok((old, genre.name));
            }
            let form = (new.title_norm.as_str(), new.artist_norm.as_str(), new.album_norm.as_str());
            let same = songs::find_same(conn, owner, form.0, form.1, form.2).await?;
            if let Some(same) = same.filter(|same| *same != id) {
                return Err(Error::new(Code::SongExists).detail("id", same.to_string()).into());
            }
            songs::update(conn, owner, &new).await?;
            // The genre may have been deleted before its row was locked by the reference to it.
            live_genre(conn, &input.genre).await?.map_err(|text| Error::invalid("genre", text))?;
            follow(conn, caller, owner, &new).await?;
            let event = Event::success(owner.map(|tenant| tenant.0), "song_update", id);
            audit::record(conn, app, caller, event).await?;
            Ok((new, genre.name))
        })
        .await?;
    app.wake.wake();
    Ok(changed)
}

fn shown(app: &App, song: &Song, genre: &str) -> [(&'static str, read_only::Shown); 8] {
    let visibility = if song.tenant_id.is_none() { "GLOBAL" } else { "TENANT" };
    [
        ("id", song.id.into()),
        ("genre_name", genre.into()),
        ("artwork", song.artwork.as_deref().map(|name| app.media.url(name)).unwrap_or_default().as_str().into()),
        ("visibility", visibility.into()),
        ("tenant", song.tenant_id.into()),
        ("user", song.user_id.into()),
        ("created_at", song.created_at.into()),
        ("updated_at", song.updated_at.into()),
    ]
}

/// Deletes a song. Its links and entries stay, and show from now on that it is gone: nothing else is written.
///
/// # Errors
/// `permission_denied`, `precondition_failed`.
pub(crate) async fn delete(app: &App, caller: &Caller, id: &str, if_version: Option<i64>) -> Result<(), Error> {
    let id = kit::ids::parse(id)?;
    let (_, owner) = writer(caller)?;
    let now = app.clock.now();
    app.pg
        .transaction(Scope::tenant_or_platform(owner), async |conn: &mut Conn| {
            let (song, owner) = lock(conn, caller, id).await?;
            check_version(song.version, if_version)?;
            songs::delete(conn, owner, id, now).await?;
            artwork::dropped(conn, caller, &song).await?;
            let event = Event::success(owner.map(|tenant| tenant.0), "song_delete", id);
            audit::record(conn, app, caller, event).await
        })
        .await?;
    app.wake.wake();
    Ok(())
}
