//! How songs are matched. Filters are substrings of the compared forms. A search goes through stages, each with an index of its
//! own; how its hits are ranked is the domain's.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use kit_pg::{contains_any, like_anywhere};
use uuid::Uuid;

use super::filters::Filters;
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
    /// Words begin with all of these.
    Words(Vec<String>),
    /// One of these holds.
    Meant(Vec<AllOf>),
}

/// A song has a word from each of these sets. A word is found by its beginning.
pub(crate) type AllOf = Vec<Vec<String>>;

/// A song that a stage has found.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Hit {
    pub id: Uuid,
    pub title: String,
    pub artist: String,
    /// Its words, with a space before each of them and after the last one.
    pub words: String,
}

/// The end of the texts that begin with `prefix`: the order of texts is that of their code points (C.UTF-8).
pub(super) fn end_of(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

type Condition<From> = Box<dyn BoxableExpression<From, Pg, SqlType = Bool>>;

/// A macro, because the two tables have the same columns but diesel cannot express that as a type.
macro_rules! matching {
    ($columns:ident, $from:ty) => {
        /// The conditions that every row of the list meets: it matches one of the values of each filter.
        pub(crate) fn conditions(filters: &Filters) -> Vec<Condition<$from>> {
            let mut all: Vec<Condition<$from>> = Vec::new();
            if !filters.title.is_empty() {
                all.push(Box::new(contains_any($columns::title_norm, &filters.title)));
            }
            if !filters.artist.is_empty() {
                all.push(Box::new(contains_any($columns::artist_norm, &filters.artist)));
            }
            if !filters.album.is_empty() {
                all.push(Box::new(contains_any($columns::album_norm, &filters.album)));
            }
            if let Some(ids) = &filters.genres {
                all.push(Box::new($columns::genre_id.eq_any(ids.clone())));
            }
            all
        }

        /// The hits of a stage among the rows of a list.
        pub(in crate::store) fn hits(
            list: $columns::BoxedQuery<'static, Pg>,
            stage: &Stage,
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
                Stage::Part(form) => {
                    let part = || like_anywhere(form);
                    let title = $columns::title_norm.like(part());
                    list.filter(title.or($columns::artist_norm.like(part())).or($columns::album_norm.like(part())))
                }
                Stage::Words(all) => list.filter(holds(&all.iter().map(|word| vec![word.clone()]).collect())),
                Stage::Meant(any) => list.filter(any_of(any.iter().map(holds))),
            };
            let most = if matches!(stage, Stage::Meant(_)) { MAX_MEANT } else { MAX_HITS };
            let columns = ($columns::id, $columns::title_norm, $columns::artist_norm, $columns::words);
            found.limit(most).select(columns)
        }

        fn holds(all: &AllOf) -> Condition<$from> {
            let always: Condition<$from> = Box::new(true.into_sql::<Bool>());
            let words = all.iter().map(|words| {
                any_of(words.iter().map(|word| -> Condition<$from> {
                    Box::new($columns::words.like(like_anywhere(&format!(" {word}"))))
                }))
            });
            words.reduce(|a, b| Box::new(a.and(b))).unwrap_or(always)
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
