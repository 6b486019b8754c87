//! Rows found by parts of their texts. One index has the trigrams of title, artist and album, the words and the genre, and another one the
//! letters and pairs of letters of the three texts, and the genre: when many rows match each of several filters and few match all of them,
//! these few are found in it, and no others are read. It is one of the two, because Postgres never uses two indexes together that both
//! begin with the tenant.

use diesel::dsl::array;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use kit_pg::{LikeAny, contains_any};

use super::filters::{Column, Filters, have_trigrams};
use super::samples::{Sampled, share};
use super::short_parts;
use crate::schema::{songs, tenant_songs};

/// An index is read once for each combination of the values of its texts: more often than this takes longer than comparing a text.
const MOST_LOOKUPS: usize = 25;
/// The same of each text beside the words of a search.
pub(super) const MOST_BESIDE_WORDS: usize = 2;
/// Of a thousand rows so many are rare: found by trigrams, they are read in the table.
const RARE: i64 = 5;
/// More genres than this are compared sooner than found.
const MOST_GENRES: usize = 10;

/// The index of parts that finds rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Index {
    Trigrams,
    Letters,
}

impl Index {
    /// That of trigrams when each of the texts has some, or when a sample says that few rows have those that do: by letters more rows are
    /// found that do not contain a longer part.
    pub(super) fn of(filters: &Filters, sample: &[Sampled]) -> Self {
        let parts = Column::ALL.map(|column| filters.parts(column));
        if parts.iter().all(|parts| parts.is_empty() || have_trigrams(parts)) {
            return Self::Trigrams;
        }
        let Some(with_trigrams) = looked_up(filters, Self::Trigrams) else { return Self::Letters };
        let are_rare = share(sample, |row| row.matches(&with_trigrams, None)).is_some_and(|share| share <= RARE);
        if are_rare { Self::Trigrams } else { Self::Letters }
    }

    /// How often it is read for parts of one text; `None` when it does not find them.
    fn lookups(self, parts: &[String]) -> Option<usize> {
        match self {
            Self::Trigrams => have_trigrams(parts).then_some(parts.len()),
            Self::Letters => short_parts::lookups(parts),
        }
    }

    /// The texts that are looked up in it: as many as their values let, those with few first.
    fn texts(self, filters: &Filters) -> Vec<(Column, &[String])> {
        let texts = Column::ALL.map(|column| (column, filters.parts(column)));
        let mut texts: Vec<_> = texts.iter().filter_map(|text| Some((self.lookups(text.1)?, *text))).collect();
        texts.sort_by_key(|(lookups, _)| *lookups);
        let (mut found, mut all) = (Vec::new(), 1);
        for (lookups, text) in texts {
            let fits = match self {
                Self::Trigrams => all * lookups <= MOST_LOOKUPS,
                // Postgres looks up one of two texts with several values, and would compare the other one by its letters.
                Self::Letters => lookups == 1 || all == 1,
            };
            if found.is_empty() || fits {
                all *= lookups;
                found.push(text);
            }
        }
        found
    }
}

/// The filters by what an index finds rows by, with which all others are compared; `None` when that is none of their texts.
pub(super) fn looked_up(filters: &Filters, index: Index) -> Option<Filters> {
    let texts = index.texts(filters);
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
    Column::ALL.iter().all(|column| filters.parts(*column).is_empty() || by_trigrams(filters, *column))
}

/// True when this text is found by its trigrams.
pub(super) fn by_trigrams(filters: &Filters, column: Column) -> bool {
    Index::Trigrams.texts(filters).iter().any(|(found, _)| *found == column)
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
    ($table:ident, $short_parts:ident) => {
        type Rows = $table::BoxedQuery<'static, Pg>;

        /// Those of the rows that have the texts and the genre that the filters want.
        pub(in crate::store) fn found(rows: Rows, filters: &Filters, index: Index) -> Rows {
            let texts = index.texts(filters);
            let is_looked_up = |column| texts.iter().any(|(found, _)| *found == column);
            if index == Index::Trigrams {
                return compared(rows, filters, is_looked_up);
            }
            let mut others = filters.clone();
            let mut rows = rows;
            for (column, parts) in &texts {
                others.parts_mut(*column).clear();
                rows = rows.filter($short_parts::condition(*column, parts));
            }
            compared(rows, &others, |_| false)
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
    use super::short_parts::in_catalogue as short_parts;
    use super::*;
    found!(songs, short_parts);
}

/// Links of a tenant's list.
pub(super) mod on_list {
    use super::short_parts::on_list as short_parts;
    use super::*;
    found!(tenant_songs, short_parts);
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
        for (filters, index, found) in [
            (of(&many, &["beatles"], &[]), Index::Trigrams, vec![Column::Artist, Column::Title]),
            (of(&many, &["queen"; 19], &["help"; 20]), Index::Trigrams, vec![Column::Artist]),
            (of(&["an"; 20], &["queen"; 5], &["help"; 4]), Index::Letters, vec![Column::Title, Column::Album]),
            (
                of(&["東京"], &["queen"; 20], &["!!!"]),
                Index::Letters,
                vec![Column::Title, Column::Album, Column::Artist],
            ),
            (of(&["an"], &["a"; 20], &["東京都"]), Index::Letters, vec![Column::Title, Column::Artist, Column::Album]),
            (of(&["a"], &[""], &["o"]), Index::Letters, vec![Column::Title, Column::Album]),
            (of(&[""], &[], &["", "o"]), Index::Letters, vec![]),
        ] {
            let columns: Vec<Column> = index.texts(&filters).into_iter().map(|(column, _)| column).collect();
            assert_eq!((Index::of(&filters, &[]), columns), (index, found.clone()), "{filters:?}");
            assert_eq!(looked_up(&filters, index).is_some(), !found.is_empty());
        }
    }

    #[test]
    fn what_is_compared_is_not_said_to_be_in_the_index() {
        assert!(have_all_trigrams(&of(&["love"], &["queen"], &[])));
        for filters in [of(&["love"], &["a"], &[]), of(&["love"], &["an"], &[]), of(&["love"; 20], &["queen"; 20], &[])]
        {
            assert!(!have_all_trigrams(&filters), "{filters:?}");
        }
        let all = Filters { genres: Some(vec![Uuid::nil(); 10]), ..of(&["love"], &[""], &["an"]) };
        assert!(by_trigrams(&all, Column::Title) && !by_trigrams(&all, Column::Album));
        let found = looked_up(&all, Index::Letters).unwrap();
        assert_eq!((found.title, found.artist, found.album), (vec!["love".to_owned()], vec![], vec!["an".to_owned()]));
        assert_eq!(found.genres.unwrap().len(), 10);
        let many = Filters { genres: Some(vec![Uuid::nil(); 11]), ..all };
        assert!(looked_up(&many, Index::Letters).unwrap().genres.is_none());
    }

    #[test]
    fn a_short_part_is_compared_on_the_few_rows_that_have_the_trigrams_beside_it() {
        let row =
            |title: &str| Sampled { title_norm: title.to_owned(), artist_norm: "an".to_owned(), ..Sampled::default() };
        let sample: Vec<Sampled> = (0..1_000).map(|n| row(if n < 5 { "love" } else { "ove" })).collect();
        for (filters, index) in [
            (of(&["love"], &["an"], &[]), Index::Trigrams),
            (of(&["ove"], &["an"], &[]), Index::Letters),
            (of(&["lo"], &["an"], &[]), Index::Letters),
        ] {
            assert_eq!(Index::of(&filters, &sample), index, "{filters:?}");
        }
        assert_eq!(Index::of(&of(&["love"], &["an"], &[]), &[]), Index::Letters, "nothing is known");
    }
}
