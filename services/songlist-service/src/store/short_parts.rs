//! Parts of texts that are too short for a trigram, such as a word of two letters, or "!!!". An index has the letters of all texts and the
//! pairs of letters that stand side by side, by which longer parts beside them are found too.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use kit_pg::contains_any;

use super::filters::{Column, Filters, has_trigram};
use super::samples::{Sampled, share};
use super::search::Condition;
use crate::schema::{songs, tenant_songs};

/// What more rows than this of a thousand have is frequent, however long the list is: one part, or all that indexes find rows by.
const FREQUENT: i64 = 100;

#[diesel::declare_sql_function]
extern "SQL" {
    /// The letters of a text and the pairs of neighbouring ones; `deploy/postgres/init.sql` makes it.
    fn letters_and_pairs(text: Text) -> Array<Text>;
}

// As the index says it: letters are compared as bytes.
diesel::postfix_operator!(InBytes, " COLLATE \"C\"", Text, backend: Pg);

/// True when a sample says that at most `most` of the `length` rows of a list match filters that indexes of parts have, or says nothing.
pub(super) fn are_few(sample: &[Sampled], length: i64, most: i64, filters: &Filters) -> bool {
    // With half more than the sample says they are still few.
    share(sample, |row| row.matches(filters, None))
        .is_none_or(|share| share <= FREQUENT && share * length / 1_000 <= most / 3 * 2)
}

/// True when a sample says that one of the texts of many rows contains this part.
pub(super) fn is_frequent(sample: &[Sampled], part: &str) -> bool {
    share(sample, |row| [&row.title_norm, &row.artist_norm, &row.album_norm].iter().any(|text| text.contains(part)))
        .is_some_and(|share| share > FREQUENT)
}

/// True for a part that has no trigram.
pub(super) fn is_short(part: &str) -> bool {
    !part.is_empty() && !has_trigram(part)
}

/// True for a letter or a pair of letters, which the index has.
fn is_indexed(part: &str) -> bool {
    matches!(part.chars().count(), 1 | 2)
}

/// True when no row that is found by its letters has to be compared.
fn are_indexed(parts: &[String]) -> bool {
    parts.iter().all(|part| is_indexed(part))
}

/// How often the index is read for parts of one text; `None` when it does not find them.
pub(super) fn lookups(parts: &[String]) -> Option<usize> {
    if parts.is_empty() || parts.iter().any(String::is_empty) {
        return None;
    }
    // All pairs of a longer part are looked up together, but one part after the other.
    Some(if are_indexed(parts) { 1 } else { parts.len() })
}

/// The pairs of letters of a part; of a single letter, that, and of none, nothing.
fn pairs_of(part: &str) -> Vec<String> {
    let letters: Vec<char> = part.chars().collect();
    letters.windows(letters.len().clamp(1, 2)).map(|pair| pair.iter().collect()).collect()
}

/// A macro, because the two tables have the same columns but diesel cannot express that as a type.
macro_rules! containing {
    ($table:ident) => {
        type Found = Condition<$table::table>;

        /// True for rows of which this text contains one of the parts, which are found by their letters.
        pub(in crate::store) fn condition(column: Column, parts: &[String]) -> Found {
            match column {
                Column::Title => containing!($table::title_norm, parts),
                Column::Artist => containing!($table::artist_norm, parts),
                Column::Album => containing!($table::album_norm, parts),
            }
        }

        /// True for rows of which title, artist or album contain this part; `None` when it is not short.
        pub(in crate::store) fn one_with(part: &str) -> Option<Found> {
            let parts = [part.to_owned()];
            is_short(part).then(|| any_of(Column::ALL.iter().map(|column| condition(*column, &parts))))
        }

        fn any_of(conditions: impl Iterator<Item = Found>) -> Found {
            let never: Found = Box::new(false.into_sql::<Bool>());
            conditions.reduce(|a, b| Box::new(a.or(b))).unwrap_or(never)
        }
    };
    ($column:path, $parts:ident) => {
        if are_indexed($parts) {
            Box::new(letters_and_pairs(InBytes::new($column)).overlaps_with($parts.to_vec()))
        } else {
            // A text that has all pairs of a part may have them in other places.
            let has_pairs = |part: &String| -> Found {
                Box::new(letters_and_pairs(InBytes::new($column)).contains(pairs_of(part)))
            };
            Box::new(any_of($parts.iter().map(has_pairs)).and(contains_any($column, $parts).without_index()))
        }
    };
}

/// Short parts in the catalogue.
pub(super) mod in_catalogue {
    use super::*;
    containing!(songs);
}

/// Short parts on a tenant's list.
pub(super) mod on_list {
    use super::*;
    containing!(tenant_songs);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_looked_up_by_their_letters_together_or_one_by_one() {
        let lookups = |parts: &[&str]| lookups(&parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>());
        for (parts, looked_up) in [
            (vec!["q"], Some(1)),
            (vec!["東京", "qz", "!", "愛"], Some(1)),
            (vec!["!!!"], Some(1)),
            (vec!["love", "an"], Some(2)),
            (vec!["love", ""], None),
            (vec![], None),
        ] {
            assert_eq!(lookups(&parts), looked_up, "{parts:?}");
        }
        for (part, pairs) in
            [("प्र", vec!["प्", "्र"]), ("!!!", vec!["!!", "!!"]), ("qz", vec!["qz"]), ("", vec![]), ("愛", vec!["愛"])]
        {
            assert_eq!(pairs_of(part), pairs);
        }
    }
}
