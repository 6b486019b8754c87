//! Rows found by parts of their texts. One index has the trigrams of title, artist and album and the genre: when many rows match each of
//! several filters and few match all of them, these few are found in it, and no others are read.

use diesel::dsl::array;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;

use super::filters::{Column, Filters, have_trigrams};
use super::search::contains;
use super::short_parts::{self, are_short};
use crate::schema::{songs, tenant_songs};

/// The filters by what the indexes have: all others are compared with the rows that these find.
pub(super) fn in_index(filters: &Filters) -> Filters {
    let in_index = |parts: &[String]| have_trigrams(parts) || are_short(parts);
    let [title, artist, album] = Column::ALL.map(|column| {
        let parts = filters.parts(column);
        if in_index(parts) { parts.to_vec() } else { Vec::new() }
    });
    Filters { title, artist, album, genres: filters.genres.clone(), ..Filters::default() }
}

/// True when the indexes have one of the texts.
pub(super) fn have_texts(filters: &Filters) -> bool {
    let found = in_index(filters);
    Column::ALL.iter().any(|column| !found.parts(*column).is_empty())
}

/// A macro, because the two tables have the same columns but diesel cannot express that as a type.
macro_rules! found {
    ($table:ident, $short_parts:path) => {
        type Rows = $table::BoxedQuery<'static, Pg>;

        /// Those of the rows that have the texts and the genre that the filters want.
        pub(in crate::store) fn found(rows: Rows, filters: &Filters) -> Rows {
            use $short_parts as short_parts;
            let mut rows = rows;
            let mut short = Vec::new();
            for column in Column::ALL {
                let parts = filters.parts(column);
                if are_short(parts) {
                    short.push((column, parts));
                } else if !parts.is_empty() {
                    rows = match column {
                        Column::Title => rows.filter(contains($table::title_norm, parts)),
                        Column::Artist => rows.filter(contains($table::artist_norm, parts)),
                        Column::Album => rows.filter(contains($table::album_norm, parts)),
                    };
                }
            }
            // Beside trigrams one of them is a condition of the index as well.
            if let [one, other, rest @ ..] = short.as_slice()
                && !filters.has_trigrams()
            {
                rows = rows.filter(short_parts::both(*one, *other));
                short = rest.to_vec();
            }
            for (column, parts) in short {
                rows = rows.filter(short_parts::condition(column, parts));
            }
            match &filters.genres {
                // As the index says it: it would be read once for each genre of a list of them.
                Some(ids) => rows.filter(array::<SqlUuid, _>(($table::genre_id,)).overlaps_with(ids.clone())),
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
