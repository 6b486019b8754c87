//! Rows found by parts of their texts. One index has the trigrams of title, artist and album, the words and the genre: when many rows match
//! each of several filters and few match all of them, these few are found in it, and no others are read. Postgres never uses two indexes
//! together that both begin with the tenant.

use diesel::dsl::array;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use kit_pg::{LikeAny, contains_any};

use super::filters::{Column, Filters, have_trigrams};
use super::short_parts::{self, are_short};
use crate::schema::{songs, tenant_songs};

/// An index is read once for each combination of the values of its texts: more often than this takes longer than comparing a text.
const MOST_LOOKUPS: usize = 25;
/// The same of each text beside the words of a search.
const MOST_BESIDE_WORDS: usize = 2;
/// More genres than this are compared sooner than found.
const MOST_GENRES: usize = 10;

/// The filters by what the indexes find rows by, with which all others are compared; `None` when that is none of their texts.
pub(super) fn looked_up(filters: &Filters) -> Option<Filters> {
    let texts = texts(filters);
    if texts.is_empty() {
        return None;
    }
    let genres = filters.genres.as_ref().filter(|ids| ids.len() <= MOST_GENRES).cloned();
    let mut found = Filters { genres, ..Filters::default() };
    for (column, parts) in texts {
        *found.parts_mut(column) = parts.to_vec();
    }
    Some(found)
}

/// True when all of the texts are found by their trigrams.
pub(super) fn have_all_trigrams(filters: &Filters) -> bool {
    let is_found = |column: &Column| filters.parts(*column).is_empty() || by_trigrams(filters, *column);
    Column::ALL.iter().all(is_found)
}

/// True when this text is found by its trigrams.
pub(super) fn by_trigrams(filters: &Filters, column: Column) -> bool {
    texts(filters).iter().any(|(found, parts)| *found == column && have_trigrams(parts))
}

/// The texts that are looked up: two that are short, and as many of those with trigrams as their values let, those with few first.
fn texts(filters: &Filters) -> Vec<(Column, &[String])> {
    let mut texts = Column::ALL.map(|column| (column, filters.parts(column)));
    texts.sort_by_key(|(_, parts)| parts.len());
    let (short, others): (Vec<_>, Vec<_>) = texts.into_iter().partition(|(_, parts)| are_short(parts));
    let mut found: Vec<_> = short.into_iter().take(2).collect();
    let mut lookups = short_parts::lookups(found.iter().map(|(_, parts)| *parts));
    for (column, parts) in others {
        if have_trigrams(parts) && (found.is_empty() || lookups * parts.len() <= MOST_LOOKUPS) {
            lookups *= parts.len();
            found.push((column, parts));
        }
    }
    found
}

/// True when parts are looked up beside the words of a search, for each of which the index is read anyway.
pub(super) fn is_beside_words(parts: &[String]) -> bool {
    have_trigrams(parts) && parts.len() <= MOST_BESIDE_WORDS
}

/// True for rows of which this text contains one of the parts. One that is not looked up is no condition of the index, which would be read
/// whole for a part without trigrams.
pub(super) fn contains<C>(text: C, parts: &[String], is_looked_up: bool) -> LikeAny<C> {
    let contains = contains_any(text, parts);
    if is_looked_up { contains } else { contains.without_index() }
}

/// A macro, because the two tables have the same columns but diesel cannot express that as a type.
macro_rules! found {
    ($table:ident, $short_parts:path) => {
        type Rows = $table::BoxedQuery<'static, Pg>;

        /// Those of the rows that have the texts and the genre that the filters want.
        pub(in crate::store) fn found(rows: Rows, filters: &Filters) -> Rows {
            use $short_parts as short_parts;
            let texts = texts(filters);
            let rows = match texts.as_slice() {
                [one, other, ..] if are_short(one.1) && are_short(other.1) => {
                    rows.filter(short_parts::both(*one, *other))
                }
                [(column, parts), ..] if are_short(parts) => rows.filter(short_parts::condition(*column, parts)),
                _ => rows,
            };
            let mut others = filters.clone();
            for (column, _) in texts.iter().filter(|(_, parts)| are_short(parts)) {
                others.parts_mut(*column).clear();
            }
            compared(rows, &others, |column| texts.iter().any(|(found, _)| *found == column))
        }

        /// The same of the rows that a search finds, each word of which is looked up in this index too.
        pub(in crate::store) fn beside_words(rows: Rows, filters: &Filters) -> Rows {
            compared(rows, filters, |column| is_beside_words(filters.parts(column)))
        }

        fn compared(rows: Rows, filters: &Filters, is_looked_up: impl Fn(Column) -> bool) -> Rows {
            let mut rows = rows;
            for column in Column::ALL {
                let (parts, is_looked_up) = (filters.parts(column), is_looked_up(column));
                if parts.is_empty() {
                    continue;
                }
                rows = match column {
                    Column::Title => rows.filter(contains($table::title_norm, parts, is_looked_up)),
                    Column::Artist => rows.filter(contains($table::artist_norm, parts, is_looked_up)),
                    Column::Album => rows.filter(contains($table::album_norm, parts, is_looked_up)),
                };
            }
            match &filters.genres {
                // As the index says it: it would be read once for each genre of a list of them.
                Some(ids) if ids.len() <= MOST_GENRES => {
                    rows.filter(array::<SqlUuid, _>(($table::genre_id,)).overlaps_with(ids.clone()))
                }
                Some(ids) => rows.filter($table::genre_id.eq_any(ids.clone())),
                None => rows,
            }
        }
    };
}

/// Songs of the catalogue.
pub(super) mod in_catalogue {
    use super::*;
    found!(songs, super::short_parts::in_catalogue);
}

/// Links of a tenant's list.
pub(super) mod on_list {
    use super::*;
    found!(tenant_songs, super::short_parts::on_list);
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn of(title: &[&str], artist: &[&str], album: &[&str]) -> Filters {
        let texts = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect();
        Filters { title: texts(title), artist: texts(artist), album: texts(album), ..Filters::default() }
    }

    #[test]
    fn an_index_is_read_for_no_more_than_a_few_combinations_of_many_values() {
        let many = ["love"; 20];
        for (filters, found) in [
            (of(&many, &["beatles"], &[]), vec![Column::Artist, Column::Title]),
            (of(&many, &["queen"; 19], &["help"; 20]), vec![Column::Artist]),
            (of(&["an"], &["queen"; 8], &["help"; 9]), vec![Column::Title, Column::Artist]),
            (of(&["an", "on", "in"], &["queen"; 6], &[]), vec![Column::Title]),
            (of(&["東京"], &["queen"; 20], &[]), vec![Column::Title, Column::Artist]),
            (of(&["an"; 3], &["u2"; 3], &["help"; 2]), vec![Column::Title, Column::Artist]),
            (of(&["an"], &["u2"], &["東京"]), vec![Column::Title, Column::Artist]),
            (of(&["an"], &["a"], &["東京都"]), vec![Column::Title, Column::Album]),
            (of(&["a"], &[""], &["o"]), vec![]),
        ] {
            let columns: Vec<Column> = texts(&filters).into_iter().map(|(column, _)| column).collect();
            assert_eq!(columns, found, "{filters:?}");
            assert_eq!(looked_up(&filters).is_some(), !found.is_empty());
        }
    }

    #[test]
    fn what_is_compared_is_not_said_to_be_in_the_index() {
        assert!(have_all_trigrams(&of(&["love"], &["queen"], &[])));
        for filters in [of(&["love"], &["a"], &[]), of(&["love"], &["an"], &[]), of(&["love"; 20], &["queen"; 20], &[])]
        {
            assert!(!have_all_trigrams(&filters), "{filters:?}");
        }
        let all = Filters { genres: Some(vec![Uuid::nil(); 10]), ..of(&["love"], &["a"], &["an"]) };
        let found = looked_up(&all).unwrap();
        assert_eq!((found.title, found.artist, found.album), (vec!["love".to_owned()], vec![], vec!["an".to_owned()]));
        assert_eq!(found.genres.unwrap().len(), 10);
        let many = Filters { genres: Some(vec![Uuid::nil(); 11]), ..all };
        assert!(looked_up(&many).unwrap().genres.is_none());
    }
}
