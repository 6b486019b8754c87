//! Parts of texts that are too short for a trigram, such as a word of two letters, or "!!!". Rows of which a text is not of the letters a
//! to z and digits alone have an index of the letters and pairs of letters of their texts. In the others two letters are found by the
//! trigrams that they begin; for a single one of these the list is read.

use diesel::dsl::sql;
use diesel::infix_operator;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use kit_pg::like_any;

use super::filters::{Column, Filters, has_trigram};
use super::samples::{Sampled, share};
use super::search::Condition;
use crate::schema::{songs, tenant_songs};

/// With more parts of one text than this, finding them takes longer than reading a list.
const MOST: usize = 3;
/// What more rows than this of a thousand have is frequent, however long the list is: one part, or all that indexes find rows by.
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
    let mut parts = Column::ALL.iter().flat_map(|column| filters.parts(*column));
    if parts.any(|part| is_ascii(part)) { FEW_BY_TRIGRAMS } else { FEW }
}

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

/// True when there are parts and all may be found by their letters, or by trigrams of two of them.
pub(super) fn are_short(parts: &[String]) -> bool {
    let is_short = |part: &String| match part.chars().count() {
        0 => false,
        1 => !is_ascii(part),
        2 => true,
        // A longer one without a trigram is compared as well, which is not written for several.
        _ => parts.len() == 1 && !has_trigram(part),
    };
    (1..=MOST).contains(&parts.len()) && parts.iter().all(is_short)
}

/// True for letters of the compared form that are in no index of letters.
fn is_ascii(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// How a text with one of the parts is found; all ways together find each.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By the letters of a text that is not of a to z and digits alone.
    Letters,
    /// By a trigram of two letters and a third one. The others are one word, so each of these parts that is not at the end has one.
    Followed,
    /// By the trigram of the end of a text. Together with [`Way::Followed`] it would have none that Postgres looks for.
    AtTheEnd,
}

fn ways(parts: &[String]) -> &'static [Way] {
    let by_trigrams = parts.iter().any(|part| is_ascii(part));
    if by_trigrams { &[Way::Followed, Way::AtTheEnd, Way::Letters] } else { &[Way::Letters] }
}

/// How often an index is read for parts of one or two texts, each of which is found in all ways.
pub(super) fn lookups<'f>(texts: impl Iterator<Item = &'f [String]> + Clone) -> usize {
    if texts.clone().count() == 0 {
        return 1;
    }
    let by_trigrams = |parts: &[String]| match parts.iter().filter(|part| is_ascii(part)).count() {
        0 => 0,
        // One regular expression, and the end with each of them.
        parts => 1 + parts,
    };
    texts.map(by_trigrams).product::<usize>() + 1
}

/// A macro, because the two tables have the same columns but diesel cannot express that as a type.
macro_rules! containing {
    ($table:ident, $has_letters:literal) => {
        type Found = Condition<$table::table>;

        /// True for rows of which this text contains one of the parts, which are short.
        pub(in crate::store) fn condition(column: Column, parts: &[String]) -> Found {
            any_of(ways(parts).iter().map(|way| found(column, *way, parts)))
        }

        /// The same of two texts, which the index finds both: Postgres would look one of them up and compare the other one.
        pub(in crate::store) fn both(one: (Column, &[String]), other: (Column, &[String])) -> Found {
            // A row is in the index of letters with all of its texts, or with none.
            let ways = ways(one.1).iter().flat_map(|way| ways(other.1).iter().map(|other| (*way, *other)));
            let ways = ways.filter(|(way, other)| (*way == Way::Letters) == (*other == Way::Letters));
            any_of(ways.map(|(way, other_way)| -> Found {
                Box::new(found(one.0, way, one.1).and(found(other.0, other_way, other.1)))
            }))
        }

        /// True for rows of which one of the texts contains this part; `None` when it is not short.
        pub(in crate::store) fn one_with(columns: &[Column], part: &str) -> Option<Found> {
            let parts = [part.to_owned()];
            are_short(&parts).then(|| any_of(columns.iter().map(|column| condition(*column, &parts))))
        }

        fn any_of(conditions: impl Iterator<Item = Found>) -> Found {
            let never: Found = Box::new(false.into_sql::<Bool>());
            conditions.reduce(|a, b| Box::new(a.or(b))).unwrap_or(never)
        }

        fn found(column: Column, way: Way, parts: &[String]) -> Found {
            match column {
                Column::Title => title(way, parts),
                Column::Artist => artist(way, parts),
                Column::Album => album(way, parts),
            }
        }

        /// True for rows that are in the index of letters.
        fn has_letters() -> diesel::expression::SqlLiteral<Bool> {
            sql::<Bool>($has_letters)
        }

        containing!(title, $table, title_norm);
        containing!(artist, $table, artist_norm);
        containing!(album, $table, album_norm);
    };
    ($name:ident, $table:ident, $column:ident) => {
        fn $name(way: Way, parts: &[String]) -> Found {
            let letters = || letters_and_pairs($table::$column);
            let ascii = || parts.iter().map(String::as_str).filter(|part| is_ascii(part));
            match way {
                Way::Letters => match parts {
                    [part] if part.chars().count() > 2 => {
                        // Postgres finds them by this index only, because nothing else here is a condition of another one.
                        let contains = strpos($table::$column, part.clone()).gt(0);
                        Box::new(has_letters().and(letters().contains(pairs_of(part))).and(contains))
                    }
                    _ => Box::new(has_letters().and(letters().overlaps_with(parts.to_vec()))),
                },
                Way::Followed => {
                    let followed = format!("({})[a-z0-9]", ascii().collect::<Vec<_>>().join("|"));
                    Box::new(Matches::new($table::$column, followed.into_sql::<Text>()))
                }
                Way::AtTheEnd => Box::new(like_any($table::$column, ascii().map(|part| format!("%{part}")).collect())),
            }
        }
    };
}

/// Short parts in the catalogue.
pub(super) mod in_catalogue {
    use super::*;
    containing!(
        songs,
        "(songs.title_norm ~ '[^a-z0-9]' OR songs.artist_norm ~ '[^a-z0-9]' OR songs.album_norm ~ '[^a-z0-9]')"
    );
}

/// Short parts on a tenant's list.
pub(super) mod on_list {
    use super::*;
    containing!(
        tenant_songs,
        "(tenant_songs.title_norm ~ '[^a-z0-9]' OR tenant_songs.artist_norm ~ '[^a-z0-9]' OR tenant_songs.album_norm ~ '[^a-z0-9]')"
    );
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
        let are_short = |parts: &[&str]| are_short(&parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>());
        for parts in [["東京"], ["愛"], ["u2"], ["!!!"], ["प्र"], ["qz"]] {
            assert!(are_short(&parts), "{parts:?}");
        }
        assert!(are_short(&["東京", "qz", "!"]), "several short ones");
        let others: [&[&str]; 8] =
            [&[], &["q"], &[""], &["love"], &["東京都"], &["東京", "q"], &["!!!", "東"], &["aa", "bb", "cc", "dd"]];
        for parts in others {
            assert!(!are_short(parts), "{parts:?}");
        }
        assert_eq!(pairs_of("प्र"), ["प्", "्र"]);
    }
}
