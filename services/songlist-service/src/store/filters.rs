//! Filters and orders that song lists share.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Filters in their compared form. A row has to match one of the values of each filter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filters {
    pub title: Vec<String>,
    pub artist: Vec<String>,
    /// The artists of a tenant's list that `artist` means, when they are few.
    pub artists: Option<Vec<String>>,
    pub album: Vec<String>,
    /// The ids of the wanted genres; `None` when the list is not filtered by genre.
    pub genres: Option<Vec<Uuid>>,
    pub visibility: Option<Visibility>,
    pub is_active: Option<bool>,
}

impl Filters {
    /// True when there is no filter except that for approval.
    pub(crate) fn plain(&self) -> bool {
        self.plain_but_visibility() && self.visibility.is_none()
    }

    /// The same, also when songs of one visibility are wanted.
    pub(crate) fn plain_but_visibility(&self) -> bool {
        let none = self.title.is_empty() && self.artist.is_empty() && self.album.is_empty();
        none && self.genres.is_none()
    }

    /// The parts that a text is to contain one of.
    pub(super) fn parts(&self, column: Column) -> &[String] {
        match column {
            Column::Title => &self.title,
            Column::Artist => &self.artist,
            Column::Album => &self.album,
        }
    }

    pub(super) fn parts_mut(&mut self, column: Column) -> &mut Vec<String> {
        match column {
            Column::Title => &mut self.title,
            Column::Artist => &mut self.artist,
            Column::Album => &mut self.album,
        }
    }
}

/// A text of a song.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Title,
    Artist,
    Album,
}

impl Column {
    pub(super) const ALL: [Self; 3] = [Self::Title, Self::Artist, Self::Album];
}

/// True when there are parts and each has a trigram.
pub(super) fn have_trigrams(parts: &[String]) -> bool {
    !parts.is_empty() && parts.iter().all(|part| has_trigram(part))
}

/// Trigrams are three letters or digits in a row; signs part them.
pub(super) fn has_trigram(part: &str) -> bool {
    part.split(|c: char| !c.is_alphanumeric()).any(|run| run.chars().count() >= 3)
}

/// Whom a song belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visibility {
    Global,
    Tenant,
}

/// What a list is sorted by; ties are broken by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SortBy {
    CreatedAt,
    Title,
    Artist,
    ReleaseYear,
    Duration,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub by: SortBy,
    pub descending: bool,
}

impl Order {
    /// The reverse order.
    pub(crate) fn reversed(self) -> Self {
        Self { descending: !self.descending, ..self }
    }

    /// Parses `ordering`, such as `-created_at`; an empty text means the newest first.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (descending, name) = text.strip_prefix('-').map_or((false, text), |name| (true, name));
        let by = match name {
            "" => return Some(Self { by: SortBy::CreatedAt, descending: true }),
            "created_at" => SortBy::CreatedAt,
            "title" => SortBy::Title,
            "artist" => SortBy::Artist,
            "release_year" => SortBy::ReleaseYear,
            "duration" => SortBy::Duration,
            _ => return None,
        };
        Some(Self { by, descending })
    }
}

/// The key of a row, after which a page by cursor begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Key {
    Time(DateTime<Utc>, Uuid),
    /// Of lists in the order of a title or an artist.
    Text(String, Uuid),
    /// Of lists in the order of a year or a duration; rows without one come before all others.
    Number(Option<i16>, Uuid),
    /// Of searches: the number of rows to skip.
    Offset(i64),
}
