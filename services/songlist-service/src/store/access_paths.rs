//! How rows that match filters are found.

use super::filters::Filters;
use super::samples::{Sampled, are_many};
use super::short_parts;

/// So many rows of a page are few: they are counted and sorted in a few milliseconds.
pub(super) const FEW: i64 = 10_000;
/// Rows that are counted are read only once as long as they are not more than this.
pub(super) const FEW_TO_COUNT: i64 = 50_000;
/// The same of rows that are found by letters, which takes less than finding them by trigrams.
const FEW_BY_LETTERS: i64 = 150_000;

/// A way to the rows that match filters.
pub(super) enum AccessPath<Rows> {
    /// They are found by parts of texts, or by artists, and read in the table, when they are not more than so many.
    ByParts(Rows, i64),
    /// They are found in an index by what is not a text, or all rows are read in an index that has the texts, when those that match are not
    /// more than so many.
    InIndex(i64),
    /// They are so many that reading the list in its order soon fills a page.
    InOrder,
}

/// The access path to rows of a list of which not all texts have trigrams, by its sample; `parts` are what finds them in indexes, and the
/// rows so found.
pub(super) fn chosen<Rows>(
    sample: &[Sampled],
    length: i64,
    filters: &Filters,
    counted: bool,
    parts: Option<(Filters, Rows)>,
) -> AccessPath<Rows> {
    if let Some((parts, rows)) = parts {
        // Without a count a page is found by reading the list, unless rows that match are rare.
        let most = if counted { FEW_BY_LETTERS } else { FEW };
        if short_parts::are_few(sample, length, most, &parts) {
            return AccessPath::ByParts(rows, most);
        }
    }
    let most = if counted { FEW_TO_COUNT } else { FEW };
    if are_many(sample, length, most, filters) { AccessPath::InOrder } else { AccessPath::InIndex(most) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::Sampled;

    /// A thousand rows: one in a hundred has "qz" in its title, one in two "a".
    fn sample() -> Vec<Sampled> {
        let titles = ["aqz"].into_iter().chain(["o", "a"].into_iter().cycle().take(99)).cycle();
        titles.take(1_000).map(|title| Sampled { title_norm: title.to_owned(), ..Sampled::default() }).collect()
    }

    #[test]
    fn rare_parts_are_looked_up_frequent_ones_are_read_in_order_and_what_is_between_is_read_once() {
        let of = |part: &str, length: i64, counted: bool, parts: Option<()>| {
            let filters = Filters { title: vec![part.to_owned()], ..Filters::default() };
            chosen(&sample(), length, &filters, counted, parts.map(|rows| (filters.clone(), rows)))
        };
        assert!(matches!(of("qz", 1_000_000, true, Some(())), AccessPath::ByParts((), FEW_BY_LETTERS)));
        assert!(matches!(of("qz", 1_000_000, false, Some(())), AccessPath::InOrder), "10,000 without a count");
        assert!(matches!(of("qz", 100_000, false, Some(())), AccessPath::ByParts((), FEW)));
        assert!(matches!(of("qz", 1_000_000, true, None), AccessPath::InIndex(FEW_TO_COUNT)), "no index has the part");
        assert!(matches!(of("a", 1_000_000, true, None), AccessPath::InOrder));
        assert!(matches!(of("a", 50_000, true, Some(())), AccessPath::InIndex(FEW_TO_COUNT)), "frequent, but few");
        assert!(matches!(of("x", 1_000_000, false, None), AccessPath::InIndex(FEW)));
    }
}
