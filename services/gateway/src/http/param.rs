//! Query parameters: what a rule accepts, with the sizes that every value is held to.

/// The most characters of a text.
pub(crate) const MAX_TEXT: usize = 200;
/// The most characters of a search.
pub(crate) const MAX_SEARCH: usize = 100;
/// The most values of one parameter.
pub(crate) const MAX_VALUES: usize = 20;
/// The most pairs of a query.
pub(crate) const MAX_PAIRS: usize = 100;

/// What the values of a parameter are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text of at most [`MAX_TEXT`] characters.
    Text,
    /// A search of at most [`MAX_SEARCH`] characters.
    Search,
    /// An id. A malformed one is an unknown object, so it is not refused.
    Id,
    /// `true` or `false`.
    Flag,
    /// One of these values, compared without case.
    OneOf(&'static [&'static str]),
    /// A whole number from 1.
    Number,
    /// Ids, separated by commas; a malformed one is an unknown object.
    Ids,
    /// A time of RFC 3339.
    Time,
    /// Where a page starts; empty for the beginning.
    Cursor,
    /// Text of at most 2,000 characters that is not for people.
    Opaque,
}

impl Kind {
    /// The most characters of a value.
    pub(crate) fn max(self) -> usize {
        match self {
            Self::Search => MAX_SEARCH,
            Self::Cursor => 512,
            Self::Ids => 37 * MAX_VALUES,
            Self::Opaque => 2_000,
            _ => MAX_TEXT,
        }
    }
}

/// A query parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    pub name: &'static str,
    pub kind: Kind,
    /// It may be repeated; a row matches when it matches one of the values.
    pub many: bool,
    /// One sentence for the OpenAPI document.
    pub about: &'static str,
}

impl Param {
    const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, many: false, about }
    }

    pub(crate) const fn text(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Kind::Text, about)
    }

    pub(crate) const fn search(about: &'static str) -> Self {
        Self::new("q", Kind::Search, about)
    }

    pub(crate) const fn id(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Kind::Id, about)
    }

    pub(crate) const fn ids(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Kind::Ids, about)
    }

    pub(crate) const fn time(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Kind::Time, about)
    }

    pub(crate) const fn flag(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Kind::Flag, about)
    }

    pub(crate) const fn one_of(name: &'static str, values: &'static [&'static str], about: &'static str) -> Self {
        Self::new(name, Kind::OneOf(values), about)
    }

    pub(crate) const fn opaque(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Kind::Opaque, about)
    }

    /// It may be repeated.
    pub(crate) const fn many(mut self) -> Self {
        self.many = true;
        self
    }
}

/// The parameters of every list.
pub(crate) const PAGING: &[Param] = &[
    Param::new("page", Kind::Number, "The number of the page, from 1."),
    Param::new("page_size", Kind::Number, "Rows per page; above 100 it counts as 100."),
];
/// The parameters of lists that can be read by cursor.
pub(crate) const BY_CURSOR: &[Param] = &[
    Param::new(
        "cursor",
        Kind::Cursor,
        "Where the page starts: next_cursor of the page before, empty for the first page.",
    ),
    Param::new("count", Kind::Flag, "Whether a page by cursor has the exact count."),
];
