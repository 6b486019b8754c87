use chrono::Datelike;
use kit::caller::Caller;
use kit::error::Faults;
use kit::ids::{TenantId, UserId};
use kit::page::{Page, Paged};
use kit::text::{clean, required};
use kit::{Clock, Code, Error};
use kit_pg::{Conn, IdempotencyKey, Once, Scope, TxError, page_of_either_end};
use uuid::Uuid;

use super::audit::{self, Event};
use super::filters::{RawFilters, cut};
use super::linking::{Linked, learn};
use super::normalise::{compared, searched};
use super::premium;
use super::search::{self, Place};
use crate::App;
use crate::store::genres::{self, Genre};
use crate::store::search_words::Vocabulary;
use crate::store::song_pages;
use crate::store::songs::{self, Catalogue, Song};
use crate::store::tenant_songs::{self, Link};

/// The most bytes of title, artist and album together, in their compared form.
const MAX_COMPARED: usize = 2_400;

/// A song as it was received.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    pub title: String,
    pub artist: String,
    pub album: String,
    /// The genre's id.
    pub genre: String,
    pub duration: Option<i64>,
    pub release_year: Option<i64>,
}

/// A song whose fields were checked.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub title: String,
    pub artist: String,
    pub album: String,
    pub duration: Option<i16>,
    pub release_year: Option<i16>,
}

impl Input {
    /// Checks everything except the genre; faults are added under the names of the fields.
    pub(crate) fn check(&self, clock: &Clock, faults: &mut Faults) -> Checked {
        let in_range = |name: &str, value: Option<i64>, low: i64, high: i64| match value {
            Some(number) if !(low..=high).contains(&number) => {
                Err(format!("Ensure {name} is between {low} and {high}."))
            }
            value => Ok(value.and_then(|number| i16::try_from(number).ok())),
        };
        let this_year = i64::from(clock.now().year());
        // A row of an index has 2,704 bytes at most, and letters of some scripts have four. The widest index, that of links by title, has
        // some 120 bytes beside the three texts.
        let texts = [&self.title, &self.artist, &self.album];
        let bytes = |texts: [&String; 3]| texts.iter().map(|text| text.len()).sum::<usize>();
        if bytes(texts) > 600 && texts.iter().map(|text| compared(text).len()).sum::<usize>() > MAX_COMPARED {
            faults.add("title", "Title, artist and album are too long together.");
        }
        Checked {
            title: faults.check("title", required(&self.title, 255)).unwrap_or_default(),
            artist: faults.check("artist", required(&self.artist, 255)).unwrap_or_default(),
            album: faults.check("album", clean(&self.album, 255)).unwrap_or_default(),
            duration: faults.check("duration", in_range("duration", self.duration, 1, 32_767)).flatten(),
            release_year: faults
                .check("release_year", in_range("release_year", self.release_year, 1_800, this_year))
                .flatten(),
        }
    }
}

impl Checked {
    /// A row with these fields.
    pub(crate) fn row(self, owner: Option<TenantId>, user: UserId, genre: Uuid, clock: &Clock) -> Song {
        let now = clock.now();
        Song {
            id: kit::ids::new_v7(),
            tenant_id: owner.map(|id| id.0),
            user_id: Some(user.0),
            words: searched(&self.title, &self.artist, &self.album),
            title_norm: compared(&self.title),
            artist_norm: compared(&self.artist),
            album_norm: if self.album.is_empty() { String::new() } else { compared(&self.album) },
            title: self.title,
            artist: self.artist,
            album: self.album,
            genre_id: genre,
            duration: self.duration,
            release_year: self.release_year,
            artwork: None,
            version: 1,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }
}

/// The caller, and the tenant whose songs the caller writes: an ADMIN writes TENANT songs, a SUPER_ADMIN GLOBAL ones
/// (`None`).
pub(crate) fn writer(caller: &Caller) -> Result<(UserId, Option<TenantId>), Error> {
    match caller.admin() {
        Ok((user, tenant)) => Ok((user, Some(tenant))),
        Err(_) => Ok((caller.super_admin()?, None)),
    }
}

/// The songs that the caller reads.
pub(crate) fn catalogue(caller: &Caller) -> Result<Catalogue, Error> {
    Ok(match writer(caller)?.1 {
        Some(tenant) => Catalogue::TenantAndGlobal(tenant),
        None => Catalogue::Global,
    })
}

/// Locks a song that the caller may change.
///
/// # Errors
/// `NotFound` for one that the caller does not see, `permission_denied` for a GLOBAL song and an ADMIN.
pub(super) async fn lock(conn: &mut Conn, caller: &Caller, id: Uuid) -> Result<(Song, Option<TenantId>), TxError> {
    let (_, owner) = writer(caller)?;
    let seen = songs::find(conn, catalogue(caller)?, id).await?;
    if seen.tenant_id != owner.map(|tenant| tenant.0) {
        return Err(Error::forbidden().into());
    }
    Ok((songs::find_for_update(conn, owner, id).await?, owner))
}

/// Creates a song; a TENANT song is put on the tenant's list and approved at once.
pub(crate) async fn create(app: &App, caller: &Caller, input: &Input) -> Result<Once<(Song, String)>, Error> {
    let (user, owner) = writer(caller)?;
    let granted = match owner {
        Some(tenant) => premium::granted(app, tenant).await,
        None => Ok(true),
    };
    app.pg
        .transaction(Scope::tenant_or_platform(owner), async |conn: &mut Conn| {
            let mut key = IdempotencyKey::claim(conn, caller, "songs.create").await?;
            if let Some(earlier) = key.replay()? {
                return Ok(earlier);
            }
            premium::require(&granted)?;
            let made = insert(conn, app, owner, user, input).await?;
            let event = Event::success(owner.map(|tenant| tenant.0), "song_create", made.0.id);
            audit::record(conn, app, caller, event).await?;
            key.keep(conn, app.clock.now(), made).await
        })
        .await
}

/// Checks and inserts a song; when a tenant owns it, also the link on the tenant's list.
pub(crate) async fn insert(
    conn: &mut Conn,
    app: &App,
    owner: Option<TenantId>,
    user: UserId,
    input: &Input,
) -> Result<(Song, String), TxError> {
    let mut faults = Faults::default();
    let checked = input.check(&app.clock, &mut faults);
    let genre = faults.check("genre", live_genre(conn, &input.genre).await?);
    faults.finish()?;
    let genre = genre.ok_or_else(Error::not_found)?;
    let row = checked.row(owner, user, genre.id, &app.clock);
    if let Some(same) = songs::find_same(conn, owner, &row.title_norm, &row.artist_norm, &row.album_norm).await? {
        let exists = Error::new(Code::SongExists).detail("id", same.to_string());
        return Err(exists.into());
    }
    songs::insert(conn, &row).await?;
    if owner.is_none() {
        learn(conn, Vocabulary::GLOBAL, &row).await?;
    }
    // The genre may have been deleted before its row was locked by the reference to it.
    live_genre(conn, &input.genre).await?.map_err(|text| Error::invalid("genre", text))?;
    if let Some(tenant) = owner {
        let link = Link::new(tenant, &row, true);
        let links = [link];
        let mut list = Linked::default();
        list.add(&links, &tenant_songs::link_created(conn, &links, row.created_at).await?);
        list.finish(conn, tenant).await?;
    }
    Ok((row, genre.name))
}

/// The genre with an id as it was sent, or what is wrong with it.
pub(crate) async fn live_genre(conn: &Conn, id: &str) -> Result<Result<Genre, String>, TxError> {
    if id.trim().is_empty() {
        return Ok(Err("This field is required.".to_owned()));
    }
    let unknown = || "This genre does not exist.".to_owned();
    let Ok(id) = Uuid::try_parse(id) else { return Ok(Err(unknown())) };
    match genres::find(conn, id).await {
        Err(error) if error.is_not_found() => Ok(Err(unknown())),
        found => Ok(Ok(found?)),
    }
}

pub(crate) async fn get(app: &App, caller: &Caller, id: &str) -> Result<(Song, String), Error> {
    let catalogue = catalogue(caller)?;
    let id = kit::ids::parse(id)?;
    let names = app.genre_names.current(&app.pg).await?;
    let scope = Scope::of(caller)?.one_plan();
    let song = app.pg.read(scope, async |conn: &Conn| songs::find(conn, catalogue, id).await).await?;
    let names = app.genre_names.knowing(&app.pg, names, std::iter::once(song.genre_id)).await?;
    Ok((names.of(song.genre_id), song)).map(|(genre, song)| (song, genre))
}

pub(crate) async fn list(
    app: &App,
    caller: &Caller,
    raw: RawFilters,
    page: &Page,
) -> Result<Paged<(Song, String)>, Error> {
    let catalogue = catalogue(caller)?;
    let listing = raw.check(page)?;
    let names = app.genre_names.current(&app.pg).await?;
    let (filters, window) = (listing.resolved(&names), listing.window(page));
    let (count, rows) = app
        .pg
        .read(listing.scope(Scope::of(caller)?, page), async |conn: &Conn| {
            if let Some(typed) = &listing.q {
                let found = search::find(conn, Place::Catalogue(catalogue), &filters, typed).await?;
                let rows = async |ids: Vec<Uuid>| songs::find_many(conn, catalogue, &ids).await;
                return search::page(page, window, found, rows, |song| song.id).await;
            }
            let (order, after) = (listing.order, listing.after.as_ref());
            // Of a page by cursor the count is that of the whole list.
            if !page.counted() || after.is_none() {
                let few = song_pages::few_matching(conn, catalogue, &filters, order, after, window, page.counted());
                if let Some((count, rows)) = few.await? {
                    page.check_range(count)?;
                    return Ok((page.counted().then_some(count), rows));
                }
            }
            let rows = |count| song_pages::list(conn, catalogue, &filters, order, after, window, count);
            page_of_either_end(page, window, song_pages::count(conn, catalogue, &filters), rows).await
        })
        .await?;
    let names = app.genre_names.knowing(&app.pg, names, rows.iter().map(|song| song.genre_id)).await?;
    let (rows, next_cursor) = cut(rows, page, |song| listing.next_cursor(page, &song.key(listing.order.by)));
    let rows = rows.into_iter().map(|song| (names.of(song.genre_id), song)).map(|(genre, song)| (song, genre));
    Ok(Paged { rows: rows.collect(), count, next_cursor })
}
