//! Parts of titles and albums that are too short for a trigram, such as a word of two letters, or "!!!". Links whose title or album is
//! not of the letters a to z and digits alone have an index of the letters and pairs of letters of both. In the others two letters are
//! found by the trigrams that they begin; a single one is in so many that the list is read in its order.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use kit::ids::TenantId;
use kit_pg::{Conn, TxError, like_any};

use super::filters::{Filters, has_trigram};
use super::search::Condition;
use super::tenant_song_landmarks;
use crate::schema::tenant_songs;

/// With more parts than this in a filter, finding them takes longer than reading a list.
const MOST: usize = 3;
/// Parts in more than this share of a list are frequent whatever its length, of a thousand links.
const FREQUENT: i64 = 100;
/// The most links that are found by letters and read.
const FEW: i64 = 150_000;
/// The same by trigrams of two letters, which take twice as long.
const FEW_BY_TRIGRAMS: i64 = 75_000;

#[diesel::declare_sql_function]
extern "SQL" {
    /// The letters of a text and the pairs of neighbouring ones; `deploy/postgres/init.sql` makes it.
    fn letters_and_pairs(text: Text) -> Array<Text>;
    fn strpos(text: Text, part: Text) -> Integer;
}

/// The condition of the index of letters.
const HAS_LETTERS: &str = "(tenant_songs.title_norm ~ '[^a-z0-9]' OR tenant_songs.album_norm ~ '[^a-z0-9]')";

/// True for links whose title and album contain one of the parts that the filters want of each; `None` when not all of these are short,
/// or they are too many.
pub(super) fn condition(filters: &Filters) -> Option<Condition<tenant_songs::table>> {
    let (titles, albums) = (filters.title.as_slice(), filters.album.as_slice());
    let wanted = titles.len() + albums.len();
    if wanted == 0 || wanted > MOST || !(are_short(titles) && are_short(albums)) {
        return None;
    }
    let title = (!titles.is_empty()).then(|| title_contains(titles));
    let album = (!albums.is_empty()).then(|| album_contains(albums));
    match (title, album) {
        (Some(title), Some(album)) => Some(Box::new(title.and(album))),
        (title, album) => title.or(album),
    }
}

/// True for links of which the title or the album contains this part; `None` when it is not short.
pub(super) fn title_or_album_with(part: &str) -> Option<Condition<tenant_songs::table>> {
    let parts = [part.to_owned()];
    are_short(&parts).then(|| -> Condition<_> { Box::new(title_contains(&parts).or(album_contains(&parts))) })
}

/// How many links are few when they are found by the parts that the filters want.
pub(super) fn few(filters: &Filters) -> i64 {
    let by_trigrams = filters.title.iter().chain(&filters.album).any(|part| is_ascii(part));
    if by_trigrams { FEW_BY_TRIGRAMS } else { FEW }
}

/// True when a sample of a list says that at most `most` of its `length` links have a title and an album that are wanted. A list without
/// landmarks is short, and read through as fast.
pub(super) async fn are_few(
    conn: &Conn,
    id: TenantId,
    length: i64,
    most: i64,
    filters: &Filters,
) -> Result<bool, TxError> {
    let has = |parts: &[String], text: &str| parts.is_empty() || parts.iter().any(|part| text.contains(part.as_str()));
    let share = share(conn, id, |title, album| has(&filters.title, title) && has(&filters.album, album)).await?;
    // With a third more than the sample says they are still few.
    Ok(share.is_some_and(|share| share <= FREQUENT && share * length / 1_000 <= most / 3 * 2))
}

/// True when a sample of a list says that the title or album of many links contains this part.
pub(super) async fn is_frequent(conn: &Conn, id: TenantId, part: &str) -> Result<bool, TxError> {
    let share = share(conn, id, |title, album| title.contains(part) || album.contains(part)).await?;
    Ok(share.is_some_and(|share| share > FREQUENT))
}

/// Of a thousand links of a list so many have such a title and album; `None` when the list has no landmarks.
async fn share(conn: &Conn, id: TenantId, has: impl Fn(&str, &str) -> bool) -> Result<Option<i64>, TxError> {
    let sample = tenant_song_landmarks::sample(conn, id).await?;
    let found = sample.iter().filter(|texts| has(&texts.title_norm, &texts.album_norm)).count();
    Ok((found * 1_000).checked_div(sample.len()).and_then(|share| i64::try_from(share).ok()))
}

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

/// A macro, because diesel has no type for either of two columns.
macro_rules! contains {
    ($name:ident, $column:ident) => {
        /// True for links of which this text contains one of the parts.
        fn $name(parts: &[String]) -> Condition<tenant_songs::table> {
            let letters = || letters_and_pairs(tenant_songs::$column);
            let has_letters = || sql::<Bool>(HAS_LETTERS);
            if let [part] = parts
                && part.chars().count() > 2
            {
                // Postgres finds them by this index only, because nothing else here is a condition of another one.
                let contains = strpos(tenant_songs::$column, part.clone()).gt(0);
                return Box::new(has_letters().and(letters().contains(pairs_of(part))).and(contains));
            }
            let by_letters = has_letters().and(letters().overlaps_with(parts.to_vec()));
            match followed(parts) {
                patterns if patterns.is_empty() => Box::new(by_letters),
                patterns => Box::new(like_any(tenant_songs::$column, patterns).or(by_letters)),
            }
        }
    };
}
contains!(title_contains, title_norm);
contains!(album_contains, album_norm);

/// Patterns for two letters in a text of the letters a to z and digits alone: each has a trigram, because such a text is one word.
fn followed(parts: &[String]) -> Vec<String> {
    let latin = parts.iter().filter(|part| is_ascii(part));
    latin
        .flat_map(|part| ('a'..='z').chain('0'..='9').map(move |c| format!("%{part}{c}%")).chain([format!("%{part}")]))
        .collect()
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
            condition(&Filters { title: texts(title), album: texts(album), ..Filters::default() }).is_some()
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
        assert_eq!(followed(&["東京".to_owned(), "qz".to_owned()]).len(), 37);
    }
}
