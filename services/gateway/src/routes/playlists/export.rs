//! A playlist as a file: CSV, JSPF (the JSON form of XSPF, xspf.org/jspf) or M3U8.

use std::fmt::Write;

use proto::common::PageRequest;
use proto::songlist as pb;
use serde_json::json;

use super::views::{EntryView, PlaylistView};
use crate::http::context::{HandlerResult, RequestContext};
use crate::http::csv;
use crate::http::error::HttpError;
use crate::http::file::{self, Format, PAGE, Part};
use crate::http::param::Param;

/// The formats, the first one when a request does not say.
const FORMATS: &[Format] = &[
    Format { name: "csv", content_type: "text/csv; charset=utf-8" },
    Format { name: "jspf", content_type: "application/jspf+json" },
    Format { name: "m3u8", content_type: "application/vnd.apple.mpegurl" },
];
pub(super) const FORMAT: &[Param] = &[Param::one_of("format", &["csv", "jspf", "m3u8"], "csv unless said otherwise.")];

const COLUMNS: [&str; 8] = ["position", "title", "artist", "album", "genre", "duration", "release_year", "available"];

pub(super) async fn export(context: RequestContext) -> HandlerResult {
    let format = file::format(&context, FORMATS)?;
    let (app, caller, id) = (context.app.clone(), context.caller.clone(), context.path("id"));
    let playlist = if format.name == "csv" {
        None
    } else {
        let see = context.grpc_request(pb::GetPlaylistRequest { id: id.clone() });
        Some(PlaylistView::from(app.peers.playlists().get(see).await?.into_inner()))
    };
    let begin = playlist.map(|playlist| begin(format, &playlist)).unwrap_or_default();
    file::send(format, "playlist", move |after| {
        let (app, caller, id, begin) = (app.clone(), caller.clone(), id.clone(), begin.clone());
        async move {
            let is_first = after.is_empty();
            let page = Some(PageRequest::after(after, false, PAGE));
            let message = pb::ListPlaylistEntriesRequest { playlist_id: id, page };
            let request = RequestContext::page_request(&caller, message);
            let found = app.peers.playlists().list_entries(request).await?.into_inner();
            let next = found.page.and_then(|page| page.next_cursor);
            let entries = found.entries.into_iter().map(EntryView::from);
            let bytes = match format.name {
                "jspf" => tracks(is_first.then_some(begin), entries, next.is_none()),
                "m3u8" => lines(is_first.then_some(begin), entries),
                _ => table(is_first, entries).await?,
            };
            Ok(Part { bytes, next })
        }
    })
    .await
}

/// What stands before the songs.
fn begin(format: &Format, playlist: &PlaylistView) -> String {
    if format.name == "jspf" {
        let (title, annotation) = (json!(playlist.name), json!(playlist.description));
        return format!(r#"{{"playlist":{{"title":{title},"annotation":{annotation},"track":["#);
    }
    // An entry of M3U8 is a line, and names of playlists have none.
    format!("#EXTM3U\n#PLAYLIST:{}\n", playlist.name)
}

async fn table(with_header: bool, entries: impl Iterator<Item = EntryView>) -> Result<Vec<u8>, HttpError> {
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let cells = |entry: EntryView| {
        let (duration, year) = (number(entry.duration), number(entry.release_year));
        let position = entry.position.to_string();
        let available = entry.available.to_string();
        vec![position, entry.title, entry.artist, entry.album, entry.genre, duration, year, available]
    };
    let header = with_header.then(|| COLUMNS.map(str::to_owned).to_vec());
    csv::lines(header.into_iter().chain(entries.map(cells))).await
}

fn tracks(begin: Option<String>, entries: impl Iterator<Item = EntryView>, is_last: bool) -> Vec<u8> {
    let is_first = begin.is_some();
    let mut text = begin.unwrap_or_default();
    for (place, entry) in entries.enumerate() {
        if place > 0 || !is_first {
            text.push(',');
        }
        let mut track = json!({
            "identifier": [format!("urn:uuid:{}", entry.song_id)],
            "title": entry.title, "creator": entry.artist, "album": entry.album, "trackNum": entry.position,
        });
        if let (Some(seconds), Some(track)) = (entry.duration, track.as_object_mut()) {
            // Milliseconds, as in XSPF.
            track.insert("duration".to_owned(), json!(u64::from(seconds) * 1_000));
        }
        text.push_str(&track.to_string());
    }
    if is_last {
        text.push_str("]}}\n");
    }
    text.into_bytes()
}

fn lines(begin: Option<String>, entries: impl Iterator<Item = EntryView>) -> Vec<u8> {
    let mut text = begin.unwrap_or_default();
    for entry in entries {
        let seconds = entry.duration.map_or_else(|| "-1".to_owned(), |seconds| seconds.to_string());
        let (artist, title, song) = (entry.artist, entry.title, entry.song_id);
        // Writing to a String never fails.
        let _ = writeln!(text, "#EXTINF:{seconds},{artist} - {title}\nurn:uuid:{song}");
    }
    text.into_bytes()
}
