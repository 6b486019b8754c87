use kit::Error;
use kit::page::{At, Page, cursor, parse_cursor};
use kit_pg::{Conn, TxError};
use uuid::Uuid;

use super::normalise::{compared, compared_name};
use crate::store::filters::{Filters, Key, Order, Visibility};
use crate::store::genres;

/// Filters as they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawFilters {
    pub title: Vec<String>,
    pub artist: Vec<String>,
    pub album: Vec<String>,
    /// Names or ids.
    pub genre: Vec<String>,
    pub visibility: Option<String>,
    pub q: Option<String>,
    pub is_active: Option<bool>,
    pub ordering: String,
}

/// Which rows of a list, in which order.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    pub filters: Filters,
    pub genre: Vec<String>,
    pub order: Order,
    pub after: Option<Key>,
}

impl RawFilters {
    /// Brings everything to its compared form.
    ///
    /// # Errors
    /// `Invalid` for an unknown visibility or order and a cursor of another list.
    pub(crate) fn check(self, page: &Page) -> Result<Listing, Error> {
        let all = |values: Vec<String>| values.iter().map(|value| compared(value)).collect::<Vec<_>>();
        let visibility = match self.visibility.as_deref() {
            None => None,
            Some("GLOBAL") => Some(Visibility::Global),
            Some("TENANT") => Some(Visibility::Tenant),
            Some(_) => return Err(Error::invalid("visibility", "Say GLOBAL or TENANT.")),
        };
        let order = Order::parse(&self.ordering)
            .ok_or_else(|| Error::invalid("ordering", "This list cannot be ordered by that."))?;
        let filters = Filters {
            title: all(self.title),
            artist: all(self.artist),
            album: all(self.album),
            genres: None,
            visibility,
            q: self.q.map(|q| compared(&q)).filter(|q| !q.is_empty()),
            is_active: self.is_active,
        };
        let listing = Listing { filters, genre: self.genre, order, after: after(page)? };
        let fits = match &listing.after {
            None => true,
            Some(Key::Time(..)) => listing.by_time(),
            Some(Key::Offset(rows)) => *rows >= 0 && !listing.by_time(),
        };
        if fits { Ok(listing) } else { Err(Error::invalid("cursor", "This cursor is not valid.")) }
    }
}

impl Listing {
    /// Looks the genres up; a name matches as a substring, an id as itself.
    pub(crate) async fn resolve_genres(&self, conn: &mut Conn) -> Result<Filters, TxError> {
        let mut filters = self.filters.clone();
        if self.genre.is_empty() {
            return Ok(filters);
        }
        let (ids, names): (Vec<_>, Vec<_>) = self.genre.iter().partition(|text| Uuid::try_parse(text).is_ok());
        let mut found: Vec<Uuid> = ids.iter().filter_map(|text| Uuid::try_parse(text).ok()).collect();
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(|name| compared_name(name)).collect();
            found.extend(genres::ids_named(conn, &names).await?);
        }
        filters.genres = Some(found);
        Ok(filters)
    }

    /// True when the rows go by their time, so that a cursor can be a key.
    fn by_time(&self) -> bool {
        self.filters.q.is_none() && self.order.by == crate::store::filters::SortBy::CreatedAt
    }

    /// The cursor behind a page that has more rows after it.
    pub(crate) fn next_cursor(&self, page: &Page, last: (chrono::DateTime<chrono::Utc>, Uuid)) -> String {
        if self.by_time() {
            return cursor(&Key::Time(last.0, last.1));
        }
        let before = match self.after {
            Some(Key::Offset(rows)) => rows,
            _ => 0,
        };
        cursor(&Key::Offset(before + i64::from(page.size)))
    }
}

/// Where a page by cursor goes on.
pub(crate) fn after(page: &Page) -> Result<Option<Key>, Error> {
    match &page.at {
        At::Cursor { after, .. } if !after.is_empty() => parse_cursor(after).map(Some),
        _ => Ok(None),
    }
}
