use chrono::Datelike;
use kit::Error;
use kit::page::{At, Page, cursor, parse_cursor};
use kit_pg::{ReadScope, Scope, Window};
use uuid::Uuid;

use super::genre_names::Names;
use super::normalise::{compared, compared_name, words};
use super::ranking::Typed;
use crate::store::filters::{Filters, Key, Order, SortBy, Visibility};

/// Filters as they were received.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawFilters {
    pub title: Vec<String>,
    pub artist: Vec<String>,
    pub album: Vec<String>,
    /// Names or ids of genres.
    pub genre: Vec<String>,
    pub visibility: Option<String>,
    pub q: Option<String>,
    pub is_active: Option<bool>,
    pub ordering: String,
}

/// Which rows of a list are wanted, and in which order.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    pub filters: Filters,
    /// A ranked search that tolerates typos; its order is that of the ranks.
    pub q: Option<Typed>,
    pub genre: Vec<String>,
    pub order: Order,
    pub after: Option<Key>,
}

impl RawFilters {
    /// Checks the filters and converts them to the form that is compared.
    ///
    /// # Errors
    /// `Invalid` for an unknown visibility or order, and for a cursor of another list.
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
            artists: None,
            album: all(self.album),
            genres: None,
            visibility,
            is_active: self.is_active,
        };
        let q = self.q.map(|q| Typed::new(&compared(&q), words(&q))).filter(|q| !q.whole.is_empty());
        let listing = Listing { filters, q, genre: self.genre, order, after: after(page)? };
        let (by, ranked) = (listing.order.by, listing.q.is_some());
        let fits = match &listing.after {
            None => true,
            Some(Key::Time(..)) => !ranked && by == SortBy::CreatedAt,
            Some(Key::Text(..)) => !ranked && matches!(by, SortBy::Title | SortBy::Artist),
            Some(Key::Number(..)) => !ranked && matches!(by, SortBy::ReleaseYear | SortBy::Duration),
            // Earlier releases made these for every order but that by time.
            Some(Key::Offset(rows)) => *rows >= 0 && (ranked || by != SortBy::CreatedAt),
        };
        if fits { Ok(listing) } else { Err(Error::invalid("cursor", "This cursor is not valid.")) }
    }
}

impl Listing {
    /// The filters with the ids of genres: a name matches every genre that contains it, an id only that genre.
    pub(crate) fn resolved(&self, names: &Names) -> Filters {
        let mut filters = self.filters.clone();
        if !self.genre.is_empty() {
            let (ids, parts): (Vec<_>, Vec<_>) = self.genre.iter().partition(|text| Uuid::try_parse(text).is_ok());
            let mut found: Vec<Uuid> = ids.iter().filter_map(|text| Uuid::try_parse(text).ok()).collect();
            found.extend(names.ids_named(&parts.iter().map(|part| compared_name(part)).collect::<Vec<_>>()));
            filters.genres = Some(found);
        }
        filters
    }

    /// The rows of a page and one more, which shows whether there is a next page.
    pub(crate) fn window(&self, page: &Page) -> Window {
        let offset = match self.after {
            Some(Key::Offset(rows)) => rows,
            Some(_) => 0,
            None => page.offset(),
        };
        Window { rows: i64::from(page.size) + 1, offset }
    }

    /// The scope of a read of these rows. Without filters and without rows to skip one plan is good for all tenants;
    /// otherwise a good plan depends on the values, and many rows may be looked at.
    pub(crate) fn scope(&self, scope: Scope, page: &Page) -> ReadScope {
        let plain = self.filters.plain() && self.q.is_none() && self.genre.is_empty();
        if plain && self.window(page).offset == 0 { scope.one_plan() } else { scope.search() }
    }

    /// The cursor of the next page; `last` is the key of this page's last row.
    pub(crate) fn next_cursor(&self, page: &Page, last: &Key) -> String {
        if self.q.is_none() {
            return cursor(last);
        }
        let before = match self.after {
            Some(Key::Offset(rows)) => rows,
            _ => 0,
        };
        cursor(&Key::Offset(before + i64::from(page.size)))
    }
}

/// Removes the additional row from the rows that were read for a page; returns the cursor of the next page when there
/// is one.
pub(crate) fn cut<T>(mut rows: Vec<T>, page: &Page, cursor_of: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| more).map(cursor_of);
    (rows, next)
}

/// The key after which a page by cursor begins.
pub(crate) fn after(page: &Page) -> Result<Option<Key>, Error> {
    match &page.at {
        At::Cursor { after, .. } if !after.is_empty() => match parse_cursor(after)? {
            // Postgres has no other times, and no row has one.
            Key::Time(at, _) if !(1900..10_000).contains(&at.year()) => {
                Err(Error::invalid("cursor", "This cursor is not valid."))
            }
            Key::Text(text, _) if text.contains('\0') => Err(Error::invalid("cursor", "This cursor is not valid.")),
            key => Ok(Some(key)),
        },
        _ => Ok(None),
    }
}
