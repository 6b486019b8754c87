//! Reads the rows of the two file formats.

use std::pin::Pin;

use csv_async::{AsyncReaderBuilder, StringRecord};
use kit::Error;
use serde::Deserialize;
use tokio::io::AsyncBufRead;

use super::Import;
use super::source::{self, Bounded, RowSize};

/// The fields of a row, in the order of [`RawRow`].
const FIELDS: [&str; 6] = ["title", "artist", "album", "genre", "duration", "release_year"];

/// The most columns of a file.
const MAX_COLUMNS: usize = 100;

/// A row as it is in the file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawRow {
    pub title: String,
    pub artist: String,
    pub album: Option<String>,
    pub genre: Option<String>,
    pub duration: Option<Number>,
    pub release_year: Option<Number>,
}

/// A number, or a text that should contain one.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Number {
    Whole(i64),
    Text(String),
}

impl Number {
    /// The number; `None` for an empty text.
    pub(super) fn read(&self) -> Result<Option<i64>, String> {
        match self {
            Self::Whole(number) => Ok(Some(*number)),
            Self::Text(text) if text.trim().is_empty() => Ok(None),
            Self::Text(text) => text.trim().parse().map(Some).map_err(|_bad| "A valid integer is required.".to_owned()),
        }
    }
}

pub(super) async fn each_csv<R: AsyncBufRead + Send>(
    import: &mut Import<'_>,
    file: &mut Pin<&mut R>,
) -> Result<(), Error> {
    let delimiter = source::delimiter(file).await?;
    let size = RowSize::default();
    let bounded = Bounded::new(file, size.clone());
    let mut reader = AsyncReaderBuilder::new().flexible(true).delimiter(delimiter).create_reader(bounded);
    let header = reader.headers().await.map_err(unreadable)?.clone();
    if header.len() > MAX_COLUMNS {
        return Err(Error::invalid("file", format!("A file may have {MAX_COLUMNS} columns.")));
    }
    let place = |field: &str| {
        let column = import.options.columns.get(field).map_or(field, String::as_str);
        header.iter().position(|name| name.trim().trim_start_matches('\u{feff}') == column)
    };
    let places = FIELDS.map(place);
    for (field, found) in FIELDS.iter().zip(places) {
        let wanted = import.options.columns.contains_key(*field) || ["title", "artist"].contains(field);
        if found.is_none() && wanted {
            return Err(Error::invalid("columns", format!("The file has no column for {field}.")));
        }
    }
    let mut record = StringRecord::new();
    loop {
        size.begin_row();
        match reader.read_record(&mut record).await {
            Ok(false) => return Ok(()),
            Ok(true) => import.take(Ok(of_record(&record, places))).await?,
            Err(error) if matches!(error.kind(), csv_async::ErrorKind::Utf8 { .. }) => {
                import.take(Err("The row is not UTF-8.".to_owned())).await?;
            }
            Err(error) => return Err(unreadable(error)),
        }
    }
}

fn of_record(record: &StringRecord, places: [Option<usize>; 6]) -> RawRow {
    let [title, artist, album, genre, duration, year] =
        places.map(|place| place.and_then(|index| record.get(index)).map(str::to_owned));
    RawRow {
        title: title.unwrap_or_default(),
        artist: artist.unwrap_or_default(),
        album,
        genre,
        duration: duration.map(Number::Text),
        release_year: year.map(Number::Text),
    }
}

pub(super) async fn each_ndjson<R: AsyncBufRead + Send>(
    import: &mut Import<'_>,
    file: &mut Pin<&mut R>,
) -> Result<(), Error> {
    source::delimiter(file).await?;
    let mut line = Vec::new();
    loop {
        if !source::read_line(file, &mut line).await.map_err(unreadable)? {
            return Ok(());
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let row = serde_json::from_slice(&line).map_err(|_bad| "The line is not a JSON object of a song.".to_owned());
        import.take(row).await?;
    }
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::invalid("file", format!("The file cannot be read: {error}"))
}
