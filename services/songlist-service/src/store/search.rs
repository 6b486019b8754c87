//! How songs are matched. Filters are substrings of the compared forms. A search goes through stages, each of which an index
//! finds; how its hits are ranked is the domain's.

use diesel::declare_sql_function;
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use kit_pg::{Conn, TxError, contains_any, like_anywhere, without_plans};
use uuid::Uuid;

use crate::schema::{songs, tenant_songs};

/// The most hits of a stage.
const MAX_HITS: i64 = 1_000;
/// The most hits of words that may be meant: each is compared letter by letter.
const MAX_MEANT: i64 = 300;

/// One way to find songs.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// The title begins with this compared form.
    Title(String),
    /// The artist does.
    Artist(String),
    /// Title, artist or album contain this compared form.
    Part(String),
    /// All of these are words, or beginnings of words.
    Words(Vec<Wanted>),
    /// One of these holds.
    Meant(Vec<AllOf>),
}

impl Stage {
    /// True when words or parts are found, by [`by_bitmaps`].
    pub(super) fn is_within(&self) -> bool {
        !matches!(self, Self::Title(_) | Self::Artist(_))
    }
}

/// A song has a word from each of these sets.
pub(crate) type AllOf = Vec<Vec<String>>;

/// What a song has to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// One of these words, which an index finds.
    OneOf(Vec<String>),
    /// A word that begins so, which no index finds: songs with other wanted words are looked at, or a list that is short.
    Begins(String),
}

#[declare_sql_function]
extern "SQL" {
    fn string_to_array(text: Text, separator: Text) -> Array<Text>;
}

/// A song that a stage has found.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Hit {
    pub id: Uuid,
    pub title: String,
    pub artist: String,
    /// Its words, with a space before each of them and after the last one.
    pub words: String,
}

/// Runs a query with no other plan than one by bitmaps, which GIN indexes make. The planner would rather read a
/// list in another order until enough songs fit, which is all of it when there are fewer: it does not know how frequent words are.
pub(super) async fn by_bitmaps<T>(
    conn: &Conn,
    query: impl AsyncFnOnce(&Conn) -> Result<T, TxError>,
) -> Result<T, TxError> {
    without_plans(conn, &["enable_seqscan", "enable_indexscan", "enable_indexonlyscan"], query).await
}

/// How long a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// It is read through.
    Short,
    /// Its rows are found in the index of words and trigrams, or in that of letters.
    Long,
}

/// Runs a query that finds rows by words or parts.
pub(super) async fn within<T>(
    conn: &Conn,
    length: Length,
    query: impl AsyncFnOnce(&Conn) -> Result<T, TxError>,
) -> Result<T, TxError> {
    match length {
        // GIN indexes make nothing but bitmaps.
        Length::Short => without_plans(conn, &["enable_seqscan", "enable_bitmapscan"], query).await,
        Length::Long => by_bitmaps(conn, query).await,
    }
}

/// The end of the texts that begin with `prefix`: the order of texts is that of their code points (C.UTF-8).
pub(super) fn end_of(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

pub(super) type Condition<From> = Box<dyn BoxableExpression<From, Pg, SqlType = Bool>>;

/// A macro, because the two tables have the same columns but diesel cannot express that as a type.
macro_rules! matching {
    ($columns:ident, $from:ty) => {
        /// The hits of a stage among the rows of a list.
        pub(in crate::store) fn hits(
            list: $columns::BoxedQuery<'static, Pg>,
            length: Length,
            stage: &Stage,
            with_part: impl FnOnce(&str) -> Condition<$from>,
        ) -> $columns::BoxedQuery<
            'static,
            Pg,
            diesel::dsl::SqlTypeOf<($columns::id, $columns::title_norm, $columns::artist_norm, $columns::words)>,
        > {
            let found = match stage {
                Stage::Title(form) => list
                    .filter($columns::title_norm.ge(form.clone()).and($columns::title_norm.lt(end_of(form))))
                    .order($columns::title_norm),
                Stage::Artist(form) => list
                    .filter($columns::artist_norm.ge(form.clone()).and($columns::artist_norm.lt(end_of(form))))
                    .order($columns::artist_norm),
                Stage::Part(form) => list.filter(with_part(form)),
                Stage::Words(all) => all.iter().fold(list, |list, wanted| match wanted {
                    Wanted::OneOf(words) => list.filter(has_one_of(length, words)),
                    Wanted::Begins(word) => list.filter($columns::words.like(like_anywhere(&format!(" {word}")))),
                }),
                Stage::Meant(any) => list.filter(any_of(any.iter().map(|all| holds(length, all)))),
            };
            let most = if matches!(stage, Stage::Meant(_)) { MAX_MEANT } else { MAX_HITS };
            let columns = ($columns::id, $columns::title_norm, $columns::artist_norm, $columns::words);
            found.limit(most).select(columns)
        }

        /// True when title, artist or album contain this part.
        pub(in crate::store) fn with_part(part: &str) -> Condition<$from> {
            let pattern = || like_anywhere(part);
            let title_or_artist = $columns::title_norm.like(pattern()).or($columns::artist_norm.like(pattern()));
            Box::new(title_or_artist.or($columns::album_norm.like(pattern())))
        }

        fn holds(length: Length, all: &AllOf) -> Condition<$from> {
            let always: Condition<$from> = Box::new(true.into_sql::<Bool>());
            all.iter().map(|words| has_one_of(length, words)).reduce(|a, b| Box::new(a.and(b))).unwrap_or(always)
        }

        fn has_one_of(length: Length, words: &[String]) -> Condition<$from> {
            match length {
                // Making an array of each row's words takes longer than comparing their text.
                Length::Short => {
                    let words: Vec<String> = words.iter().map(|word| format!(" {word} ")).collect();
                    Box::new(contains_any($columns::words, &words))
                }
                // As the index says it.
                Length::Long => {
                    Box::new(string_to_array($columns::words, sql::<Text>("' '")).overlaps_with(words.to_vec()))
                }
            }
        }

        fn any_of(conditions: impl Iterator<Item = Condition<$from>>) -> Condition<$from> {
            let never: Condition<$from> = Box::new(false.into_sql::<Bool>());
            conditions.reduce(|a, b| Box::new(a.or(b))).unwrap_or(never)
        }
    };
}

/// Matching in the catalogue.
pub(crate) mod in_catalogue {
    use super::*;
    matching!(songs, songs::table);
}

/// Matching on a tenant's list.
pub(crate) mod on_list {
    use super::*;
    matching!(tenant_songs, tenant_songs::table);
}
