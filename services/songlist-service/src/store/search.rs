//! How songs are matched: filters are substrings of the compared forms; `q` also tolerates typos in titles and artists.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Float, Text};
use kit_pg::{contains_any, like_anywhere};

use super::filters::Filters;
use crate::schema::{songs, tenant_songs};

// Both operators use the trigram indexes. `%` requires a similarity of pg_trgm.similarity_threshold (0.3), `<%`
// requires a part with a similarity of pg_trgm.word_similarity_threshold (0.6).
diesel::infix_operator!(Similar, " % ", backend: Pg);
diesel::infix_operator!(WordSimilar, " <% ", backend: Pg);

#[diesel::declare_sql_function]
extern "SQL" {
    /// The similarity of two texts by their trigrams, from 0 to 1.
    fn similarity(a: Text, b: Text) -> Float;
    /// The larger of two numbers.
    fn greatest(a: Float, b: Float) -> Float;
}

type Condition<From> = Box<dyn BoxableExpression<From, Pg, SqlType = Bool>>;
type Likeness<From> = Box<dyn BoxableExpression<From, Pg, SqlType = Float>>;

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
            if let Some(q) = &filters.q {
                all.push(matches(q));
            }
            all
        }

        /// True for a song that `q` may mean: title, artist or album contain `q`, or title or artist are similar to it.
        fn matches(q: &str) -> Condition<$from> {
            let (text, part) = (|| q.to_owned().into_sql::<Text>(), || like_anywhere(q));
            let holds = $columns::title_norm
                .like(part())
                .or($columns::artist_norm.like(part()))
                .or($columns::album_norm.like(part()));
            let title = Similar::new($columns::title_norm, text()).or(WordSimilar::new(text(), $columns::title_norm));
            let artist =
                Similar::new($columns::artist_norm, text()).or(WordSimilar::new(text(), $columns::artist_norm));
            Box::new(holds.or(title).or(artist))
        }

        /// The sort keys of a search, each descending: title equal to `q`, title beginning with `q`, similarity.
        pub(crate) fn rank(q: &str) -> (Condition<$from>, Condition<$from>, Likeness<$from>) {
            let likeness = greatest(
                similarity($columns::title_norm, q.to_owned()),
                similarity($columns::artist_norm, q.to_owned()),
            );
            (
                Box::new($columns::title_norm.eq(q.to_owned())),
                Box::new($columns::title_norm.like(format!("{q}%"))),
                Box::new(likeness),
            )
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
