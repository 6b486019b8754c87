//! Parts of titles and albums that are too short for a trigram, such as a word of two letters, or "!!!". Links whose title or album is
//! not of the letters a to z and digits alone have an index of the letters and pairs of letters of both. In the others two letters are
//! found by the trigrams that they begin; for a single one of these the list is read.

use diesel::dsl::sql;
use diesel::infix_operator;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use kit_pg::like_any;

use super::filters::{Filters, has_trigram};
use super::samples::{Sampled, share};
use super::search::Condition;
use crate::schema::{songs, tenant_songs};

/// With more parts than this in a filter, finding them takes longer than reading a list.
const MOST: usize = 3;
/// Parts in more rows than this of a thousand are frequent, however long the list is.
const FREQUENT: i64 = 100;
/// The most rows that are found by letters and read.
const FEW: i64 = 150_000;
/// The same by trigrams of two letters, which take longer.
const FEW_BY_TRIGRAMS: i64 = 75_000;

infix_operator!(Matches, " ~ ", backend: Pg);

#[diesel::declare_sql_function]
extern "SQL" {
    /// The letters of a text and the pairs of neighbouring ones; `deploy/postgres/init.sql` makes it.
    fn letters_and_pairs(text: Text) -> Array<Text>;
    fn strpos(text: Text, part: Text) -> Integer;
}

/// How many rows are few when they are found by the parts that the filters want.
pub(super) fn few(filters: &Filters) -> i64 {
    let by_trigrams = filters.title.iter().chain(&filters.album).any(|part| is_ascii(part));
    if by_trigrams { FEW_BY_TRIGRAMS } else { FEW }
}

/// True when a sample says that at most `most` of the `length` rows of a list have a title and an album that are wanted, or says nothing.
pub(super) fn are_few(sample: &[Sampled], length: i64, most: i64, filters: &Filters) -> bool {
    // With half more than the sample says they are still few.
    share(sample, |row| row.has_texts(filters))
        .is_none_or(|share| share <= FREQUENT && share * length / 1_000 <= most / 3 * 2)
}

/// True when a sample says that the title or album of many rows contains this part.
pub(super) fn is_frequent(sample: &[Sampled], part: &str) -> bool {
    share(sample, |row| row.title_norm.contains(part) || row.album_norm.contains(part))
        .is_some_and(|share| share > FREQUENT)
}

/// True when all of these may be found by their letters, or by trigrams of two of them.
fn are_short(parts: &[String]) -> bool {
    let is_short = |part: &String| match part.chars().count() {
        0 => false,
        1 => !is_ascii(part),
        2 => true,
        // A longer one without a trigram is compared as well, which is not written for several.
        _ => parts.len() == 1 && !has_trigram(part),
    };
    parts.iter().all(is_short)
}

/// True for letters of the compared form that are in no index of letters.
fn is_ascii(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// A macro, because the two tables have the same columns but diesel cannot express that as a type.
macro_rules! containing {
    ($table:ident, $has_letters:literal) => {
        /// True for rows whose title and album contain one of the parts that the filters want of each; `None` when not all of these are
        /// short, or they are too many.
        pub(in crate::store) fn condition(filters: &Filters) -> Option<Condition<$table::table>> {
            let (titles, albums) = (filters.title.as_slice(), filters.album.as_slice());
            let wanted = titles.len() + albums.len();
            if wanted == 0 || wanted > MOST || !(are_short(titles) && are_short(albums)) {
                return None;
            }
            let title = (!titles.is_empty()).then(|| title(titles));
            let album = (!albums.is_empty()).then(|| album(albums));
            match (title, album) {
                (Some(title), Some(album)) => Some(Box::new(title.and(album))),
                (title, album) => title.or(album),
            }
        }

        /// True for rows of which the title or the album contains this part; `None` when it is not short.
        pub(in crate::store) fn title_or_album_with(part: &str) -> Option<Condition<$table::table>> {
            let parts = [part.to_owned()];
            are_short(&parts).then(|| -> Condition<_> { Box::new(title(&parts).or(album(&parts))) })
        }

        /// True for rows that are in the index of letters.
        fn has_letters() -> diesel::expression::SqlLiteral<Bool> {
            sql::<Bool>($has_letters)
        }

        containing!(title, $table, title_norm);
        containing!(album, $table, album_norm);
    };
    ($name:ident, $table:ident, $column:ident) => {
        /// True for rows of which this text contains one of the parts.
        fn $name(parts: &[String]) -> Condition<$table::table> {
            let letters = || letters_and_pairs($table::$column);
            if let [part] = parts
                && part.chars().count() > 2
            {
                // Postgres finds them by this index only, because nothing else here is a condition of another one.
                let contains = strpos($table::$column, part.clone()).gt(0);
                return Box::new(has_letters().and(letters().contains(pairs_of(part))).and(contains));
            }
            let by_letters = has_letters().and(letters().overlaps_with(parts.to_vec()));
            let ascii: Vec<&str> = parts.iter().map(String::as_str).filter(|part| is_ascii(part)).collect();
            if ascii.is_empty() {
                return Box::new(by_letters);
            }
            // Each has a trigram, because a text of the letters a to z and digits alone is one word. Together the two would have none that
            // Postgres looks for.
            let followed = Matches::new($table::$column, format!("({})[a-z0-9]", ascii.join("|")).into_sql::<Text>());
            let at_the_end = like_any($table::$column, ascii.iter().map(|part| format!("%{part}")).collect());
            Box::new(followed.or(at_the_end).or(by_letters))
        }
    };
}

/// Short parts in the catalogue.
pub(super) mod in_catalogue {
    use super::*;
    containing!(songs, "(songs.title_norm ~ '[^a-z0-9]' OR songs.album_norm ~ '[^a-z0-9]')");
}

/// Short parts on a tenant's list.
pub(super) mod on_list {
    use super::*;
    containing!(tenant_songs, "(tenant_songs.title_norm ~ '[^a-z0-9]' OR tenant_songs.album_norm ~ '[^a-z0-9]')");
}

/// The pairs of letters of a part.
fn pairs_of(part: &str) -> Vec<String> {
    let letters: Vec<char> = part.chars().collect();
    letters.windows(2).map(|pair| pair.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_latin_letter_or_digit_and_what_has_a_trigram_are_not_looked_for_by_short_parts() {
        let found = |title: &[&str], album: &[&str]| {
            let texts = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect();
            on_list::condition(&Filters { title: texts(title), album: texts(album), ..Filters::default() }).is_some()
        };
        for parts in [["東京"], ["愛"], ["u2"], ["!!!"], ["प्र"], ["qz"]] {
            assert!(found(&parts, &[]) && found(&[], &parts) && found(&parts, &["愛"]), "{parts:?}");
        }
        assert!(found(&["東京", "qz", "!"], &[]), "several short ones");
        let others: [&[&str]; 7] =
            [&["q"], &[""], &["love"], &["東京都"], &["東京", "q"], &["!!!", "東"], &["aa", "bb", "cc", "dd"]];
        for parts in others {
            assert!(!found(parts, &[]) && !found(&["愛"], parts), "{parts:?}");
        }
        assert!(!found(&[], &[]), "nothing is wanted");
        assert_eq!(pairs_of("प्र"), ["प्", "्र"]);
    }
}
