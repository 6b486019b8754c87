//! Checks rows and commits them in batches.

use std::collections::{BTreeSet, HashMap, HashSet};

use kit::Error;
use kit::error::Faults;
use kit::text::required;
use kit_pg::{Conn, Scope, TxError};
use ring::digest::{SHA256, digest};
use uuid::Uuid;

use super::Import;
use super::rows::RawRow;
use crate::domain::audit::{self, Event};
use crate::domain::linking::{Linked, vocabulary};
use crate::domain::normalise::compared_name;
use crate::domain::songs::Input;
use crate::store::genres::{self, Genre};
use crate::store::imports::{insert_missing, with_titles};
use crate::store::search_words::{self, Vocabulary};
use crate::store::songs::Song;
use crate::store::tenant_songs::{self, Link};

/// A valid row that waits for its batch to be committed.
pub(super) struct Candidate {
    /// The number of the row.
    number: u64,
    song: Song,
}

/// The form that is compared to find duplicates: title, artist and album.
type Form = (String, String, String);

fn form(song: &Song) -> Form {
    (song.title_norm.clone(), song.artist_norm.clone(), song.album_norm.clone())
}

/// The result of a batch.
#[derive(Default)]
struct Done {
    created: u64,
    linked: u64,
    skipped: u64,
    /// Rows whose genre was deleted meanwhile.
    lost: Vec<u64>,
}

impl Import<'_> {
    /// Checks a row and adds it to the batch, or adds the reason to the report why not.
    pub(super) async fn check(&mut self, number: u64, raw: RawRow) -> Result<(), Error> {
        let mut faults = Faults::default();
        let read = |value: &Option<super::rows::Number>| value.as_ref().map_or(Ok(None), super::rows::Number::read);
        let input = Input {
            title: raw.title,
            artist: raw.artist,
            album: raw.album.unwrap_or_default(),
            genre: String::new(),
            duration: faults.check("duration", read(&raw.duration)).flatten(),
            release_year: faults.check("release_year", read(&raw.release_year)).flatten(),
        };
        let checked = input.check(&self.app.clock, &mut faults);
        let wanted = raw.genre.filter(|name| !name.trim().is_empty()).or_else(|| self.options.genre.clone());
        let genre = match wanted {
            None => Err("This field is required.".to_owned()),
            Some(name) => match required(&name, 100) {
                Ok(name) => self.genre(&name).await?.ok_or_else(|| format!("The genre {name} does not exist.")),
                Err(message) => Err(message),
            },
        };
        let genre = faults.check("genre", genre);
        if let Err(error) = faults.finish() {
            let (field, message) = error.fields().first().cloned().unwrap_or_default();
            self.report.fail(number, &field, message);
            return Ok(());
        }
        let song = checked.row(self.owner, self.user, genre.unwrap_or_default(), &self.app.clock);
        let (title, artist, album) = form(&song);
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, format!("{title}\u{0}{artist}\u{0}{album}").as_bytes()).as_ref());
        if self.seen.insert(fingerprint) {
            self.waiting.push(Candidate { number, song });
        } else {
            self.report.skipped_duplicates += 1;
        }
        Ok(())
    }

    /// The genre with this name or id; only a SUPER_ADMIN's import creates a missing one.
    async fn genre(&mut self, name: &str) -> Result<Option<Uuid>, Error> {
        let form = compared_name(name);
        if let Some(known) = self.genres.get(&form) {
            return Ok(*known);
        }
        let may_create = self.owner.is_none() && !self.options.dry_run;
        let row = Genre::new(name.trim().to_owned(), form.clone(), String::new(), self.app.clock.now());
        let found = self
            .app
            .pg
            .transaction(Scope::tenant_or_platform(self.owner), async |conn: &mut Conn| {
                let by_id = Uuid::try_parse(&form).ok();
                let found = match by_id {
                    Some(id) => genres::find(conn, id).await.map(|genre| Some(genre.id)).or_else(none_when_missing)?,
                    None => genres::find_by_name(conn, &form).await?.map(|genre| genre.id),
                };
                if found.is_none() && may_create && by_id.is_none() {
                    genres::insert_if_missing(conn, &row).await?;
                    return Ok(genres::find_by_name(conn, &form).await?.map(|genre| genre.id));
                }
                Ok(found)
            })
            .await?;
        self.genres.insert(form, found);
        Ok(found)
    }

    /// Commits the current batch.
    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        let batch = std::mem::take(&mut self.waiting);
        if batch.is_empty() {
            return Ok(());
        }
        let (app, caller) = (self.app, self.caller);
        let (owner, dry_run, now) = (self.owner, self.options.dry_run, app.clock.now());
        let done = self
            .app
            .pg
            .transaction(Scope::tenant_or_platform(owner), async |conn: &mut Conn| {
                let wanted: HashSet<Uuid> = batch.iter().map(|row| row.song.genre_id).collect();
                let wanted: Vec<Uuid> = wanted.into_iter().collect();
                let live = genres::live_among(conn, &wanted).await?;
                let (batch, lost): (Vec<&Candidate>, Vec<&Candidate>) =
                    batch.iter().partition(|row| live.contains(&row.song.genre_id));
                let batch: Vec<&Song> = batch.into_iter().map(|row| &row.song).collect();
                let titles: BTreeSet<&str> = batch.iter().map(|song| song.title_norm.as_str()).collect();
                let titles: Vec<String> = titles.into_iter().map(str::to_owned).collect();
                let known = with_titles(conn, owner, &titles).await?;
                let mut present: HashMap<Form, &Song> = HashMap::new();
                for song in &known {
                    // When both exist, the tenant's own song is used and not the GLOBAL one.
                    let entry = present.entry(form(song)).or_insert(song);
                    if song.tenant_id.is_some() {
                        *entry = song;
                    }
                }
                let (old, new): (Vec<&Song>, Vec<&Song>) =
                    batch.into_iter().partition(|song| present.contains_key(&form(song)));
                let lost = lost.into_iter().map(|row| row.number).collect();
                let mut done = Done { lost, ..Done::default() };
                if dry_run {
                    done.created = count(new.len());
                    done.skipped = count(old.len());
                    return Ok(done);
                }
                let rows: Vec<Song> = new.into_iter().cloned().collect();
                let inserted = insert_missing(conn, &rows).await?;
                let created: Vec<&Song> = rows.iter().filter(|song| inserted.contains(&song.id)).collect();
                // From here on the references keep genres from being deleted; in the moment before they did not.
                if genres::live_among(conn, &wanted).await?.len() < live.len() {
                    return Err(Error::unavailable(anyhow::anyhow!("a genre was deleted during an import")).into());
                }
                done.created = count(created.len());
                // Songs that a concurrent request has created count as duplicates.
                done.skipped = count(rows.len() - created.len());
                let Some(tenant) = owner else {
                    let songs = created.iter().map(|song| (song.words.as_str(), song.artist_norm.as_str()));
                    search_words::add(conn, Vocabulary::GLOBAL, &vocabulary(songs)).await?;
                    done.skipped += count(old.len());
                    if done.created > 0 {
                        audit::record(conn, app, caller, event(None)).await?;
                    }
                    return Ok(done);
                };
                let link = |song: &Song| Link::new(tenant, song, true);
                let fresh: Vec<Link> = created.into_iter().map(link).collect();
                let mut list = Linked::default();
                list.add(&fresh, &tenant_songs::link_created(conn, &fresh, now).await?);
                let created = list.total;
                let wanted: Vec<Link> =
                    old.iter().filter_map(|song| present.get(&form(song)).map(|song| link(song))).collect();
                list.add(&wanted, &tenant_songs::link(conn, tenant, &wanted, now).await?);
                let linked = list.total - created;
                list.finish(conn, tenant).await?;
                done.linked = count(linked);
                done.skipped += count(old.len() - linked);
                if done.created + done.linked > 0 {
                    audit::record(conn, app, caller, event(Some(tenant.0))).await?;
                }
                Ok(done)
            })
            .await?;
        if !done.lost.is_empty() {
            self.genres.clear();
        }
        for row in done.lost {
            self.report.fail(row, "genre", "This genre does not exist.");
        }
        self.report.created += done.created;
        self.report.linked += done.linked;
        self.report.skipped_duplicates += done.skipped;
        Ok(())
    }
}

/// A batch that was stored; how many rows it had stands in the report of the import.
fn event(tenant: Option<Uuid>) -> Event<'static> {
    Event { tenant, actor: None, action: "songs_import", target: None, result: "success" }
}

fn none_when_missing(error: TxError) -> Result<Option<Uuid>, TxError> {
    if error.is_not_found() { Ok(None) } else { Err(error) }
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
