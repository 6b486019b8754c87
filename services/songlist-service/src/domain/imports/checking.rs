//! Checks the rows of a file one by one.

use kit::Error;
use kit::error::Faults;
use kit::text::required;
use kit_pg::{Conn, Scope, TxError};
use ring::digest::{SHA256, digest};
use uuid::Uuid;

use super::Import;
use super::batch::{Candidate, form};
use super::rows::RawRow;
use crate::domain::normalise::compared_name;
use crate::domain::songs::Input;
use crate::store::genres::{self, Genre};

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
            .pg_of_imports
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
}

fn none_when_missing(error: TxError) -> Result<Option<Uuid>, TxError> {
    if error.is_not_found() { Ok(None) } else { Err(error) }
}
