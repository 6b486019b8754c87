//! Filters and orders that song lists share.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Filters in their compared form. Values of one are OR, different ones are AND.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filters {
    pub title: Vec<String>,
    pub artist: Vec<String>,
    pub album: Vec<String>,
    /// Genres, when asked for.
    pub genres: Option<Vec<Uuid>>,
    pub visibility: Option<Visibility>,
    /// Ranked search, tolerant of typos.
    pub q: Option<String>,
    pub is_active: Option<bool>,
}

impl Filters {
    /// True when every row of the list is wanted, approved ones at most.
    pub(crate) fn plain(&self) -> bool {
        let none = self.title.is_empty() && self.artist.is_empty() && self.album.is_empty();
        none && self.genres.is_none() && self.visibility.is_none() && self.q.is_none()
    }
}

/// Whose a song is.
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
    /// The same rows from their other end.
    pub(crate) fn reversed(self) -> Self {
        Self { descending: !self.descending, ..self }
    }

    /// Reads `ordering`, such as `-created_at`; empty is the newest first.
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

/// Where a page by cursor goes on: after the row with this key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Key {
    Time(DateTime<Utc>, Uuid),
    /// In other orders: after so many rows.
    Offset(i64),
}
