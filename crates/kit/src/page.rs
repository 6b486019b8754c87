//! Pages of lists: by number with an exact count, or by an opaque cursor.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Code, Error};

/// The rows on a page when the client requests no size.
pub const DEFAULT_SIZE: u32 = 10;
/// The most rows a page may have; more is clamped.
pub const MAX_SIZE: u32 = 100;

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Rows wanted, 1..=100.
    pub size: u32,
    /// Where the page starts.
    pub at: At,
}

/// The start of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// The page with this number, from 1; the rows of the whole list are counted.
    Number(u32),
    /// After this cursor (empty: from the start); the rows of the whole list are counted when `count` is true.
    Cursor { after: String, count: bool },
}

impl Page {
    /// The page that a request asks for: size (0: the default), number, or a cursor and whether a count is wanted.
    pub fn of(size: u32, number: Option<u32>, cursor: Option<(String, bool)>) -> Self {
        let size = if size == 0 { DEFAULT_SIZE } else { size.min(MAX_SIZE) };
        let at = match cursor {
            Some((after, count)) => At::Cursor { after, count },
            None => At::Number(number.unwrap_or(1).max(1)),
        };
        Self { size, at }
    }

    /// The number of rows to skip; 0 for a cursor.
    pub fn offset(&self) -> i64 {
        match self.at {
            At::Number(number) => i64::from(number.saturating_sub(1)) * i64::from(self.size),
            At::Cursor { .. } => 0,
        }
    }

    /// True when the answer must contain the exact count.
    pub fn counted(&self) -> bool {
        matches!(self.at, At::Number(_) | At::Cursor { count: true, .. })
    }

    /// # Errors
    /// `page_out_of_range` when a numbered page is past the end; page 1 always exists.
    pub fn check_range(&self, count: i64) -> Result<(), Error> {
        match self.at {
            At::Number(number) if number > 1 && self.offset() >= count => Err(Error::new(Code::PageOutOfRange)),
            _ => Ok(()),
        }
    }
}

/// One page of a list, as domain functions return it.
#[derive(Debug)]
pub struct Paged<T> {
    pub rows: Vec<T>,
    /// The exact number of rows in the whole list; `None` when it was not requested.
    pub count: Option<i64>,
    /// Where the next page starts, for lists read by cursor.
    pub next_cursor: Option<String>,
}

/// Makes an opaque cursor from the sort key of the last row.
pub fn cursor<K: Serialize>(key: &K) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

/// The sort key in a cursor.
///
/// # Errors
/// `Invalid` on the parameter `cursor` when it was not made by [`cursor`] for this list.
pub fn parse_cursor<K: DeserializeOwned>(text: &str) -> Result<K, Error> {
    URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| Error::invalid("cursor", "This cursor is not valid."))
}
