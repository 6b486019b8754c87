//! The catalogue as a file that can be imported again.

use proto::common::PageRequest;
use proto::songlist as pb;
use serde::Serialize;

use super::filters;
use super::views::visibility;
use crate::http::context::{HandlerResult, RequestContext};
use crate::http::error::HttpError;
use crate::http::file::{self, Format, PAGE, Part};
use crate::http::{csv, param::Param};

/// The formats, the first one when a request does not say.
pub(super) const FORMATS: &[Format] = &[
    Format { name: "csv", content_type: "text/csv; charset=utf-8" },
    Format { name: "ndjson", content_type: "application/x-ndjson" },
];
pub(super) const FORMAT: &[Param] = &[Param::one_of("format", &["csv", "ndjson"], "csv unless said otherwise.")];

const COLUMNS: [&str; 8] = ["id", "title", "artist", "album", "genre", "duration", "release_year", "visibility"];

/// A line of the file.
#[derive(Serialize)]
struct Row {
    id: String,
    title: String,
    artist: String,
    album: String,
    /// The genre's name.
    genre: String,
    duration: Option<u32>,
    release_year: Option<u32>,
    visibility: &'static str,
}

impl From<pb::Song> for Row {
    fn from(song: pb::Song) -> Self {
        Self {
            visibility: visibility(song.visibility()),
            id: song.id,
            title: song.title,
            artist: song.artist,
            album: song.album,
            genre: song.genre_name,
            duration: song.duration,
            release_year: song.release_year,
        }
    }
}

impl Row {
    fn cells(self) -> Vec<String> {
        let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
        let (duration, year) = (number(self.duration), number(self.release_year));
        vec![self.id, self.title, self.artist, self.album, self.genre, duration, year, self.visibility.to_owned()]
    }
}

pub(super) async fn export(context: RequestContext) -> HandlerResult {
    let format = file::format(&context, FORMATS)?;
    let filters = filters(&context)?;
    let (app, caller) = (context.app.clone(), context.caller.clone());
    file::send(format, "songs", move |after| {
        let (app, caller, filters) = (app.clone(), caller.clone(), filters.clone());
        async move {
            let is_first = after.is_empty();
            let message = pb::ListSongsRequest { page: Some(PageRequest::after(after, false, PAGE)), filters };
            let found = app.peers.songs().list(RequestContext::page_request(&caller, message)).await?.into_inner();
            let rows = found.songs.into_iter().map(Row::from);
            let bytes = if format.name == "csv" { table(is_first, rows).await? } else { lines(rows)? };
            Ok(Part { bytes, next: found.page.and_then(|page| page.next_cursor) })
        }
    })
    .await
}

async fn table(with_header: bool, rows: impl Iterator<Item = Row>) -> Result<Vec<u8>, HttpError> {
    let header = with_header.then(|| COLUMNS.map(str::to_owned).to_vec());
    csv::lines(header.into_iter().chain(rows.map(Row::cells))).await
}

fn lines(rows: impl Iterator<Item = Row>) -> Result<Vec<u8>, HttpError> {
    let mut bytes = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut bytes, &row).map_err(kit::Error::internal)?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}
