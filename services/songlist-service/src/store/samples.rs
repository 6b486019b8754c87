//! Samples of lists tell how many rows have what filters want before they are looked for.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text, Uuid as SqlUuid};
use uuid::Uuid;

use super::filters::{Filters, Visibility};

/// A smaller sample says nothing.
const ENOUGH: usize = 300;
/// A sample is of rows that stand side by side, so many parts of the list.
const PLACES: usize = 20;
/// What is in so many of them is not in one place of the list only, such as the songs of an album.
const ENOUGH_PLACES: usize = 5;

/// What filters ask for, of one row of a list.
#[derive(Clone, Debug, Default, Queryable, QueryableByName)]
pub(super) struct Sampled {
    #[diesel(sql_type = Text)]
    pub title_norm: String,
    #[diesel(sql_type = Text)]
    pub artist_norm: String,
    #[diesel(sql_type = Text)]
    pub album_norm: String,
    #[diesel(sql_type = SqlUuid)]
    pub genre_id: Uuid,
    #[diesel(sql_type = Bool)]
    pub is_global: bool,
    #[diesel(sql_type = Bool)]
    pub is_active: bool,
}

impl Sampled {
    /// True when the row matches the filters and is by one of the artists.
    pub(super) fn matches(&self, filters: &Filters, artists: Option<&HashSet<&str>>) -> bool {
        let visibility = if self.is_global { Visibility::Global } else { Visibility::Tenant };
        has(&filters.title, &self.title_norm)
            && has(&filters.album, &self.album_norm)
            && artists.is_none_or(|artists| artists.contains(self.artist_norm.as_str()))
            && has(&filters.artist, &self.artist_norm)
            && filters.genres.as_ref().is_none_or(|ids| ids.contains(&self.genre_id))
            && filters.visibility.is_none_or(|wanted| wanted == visibility)
            && filters.is_active.is_none_or(|wanted| wanted == self.is_active)
    }
}

/// True when a text contains one of the parts, or none is wanted.
fn has(parts: &[String], text: &str) -> bool {
    parts.is_empty() || parts.iter().any(|part| text.contains(part.as_str()))
}

/// Of a thousand rows so many are such; `None` when the sample says nothing.
pub(super) fn share(sample: &[Sampled], is_such: impl Fn(&Sampled) -> bool) -> Option<i64> {
    if sample.len() < ENOUGH {
        return None;
    }
    let found = sample.iter().filter(|row| is_such(row)).count();
    (found * 1_000).checked_div(sample.len()).and_then(|share| i64::try_from(share).ok())
}

/// True when a sample says that about `most` of the `length` rows of a list match, or more, and that they are all over the list.
pub(super) fn are_many(sample: &[Sampled], length: i64, most: i64, filters: &Filters) -> bool {
    let artists = filters.artists.as_ref().map(|artists| artists.iter().map(String::as_str).collect());
    let matches = |row: &Sampled| row.matches(filters, artists.as_ref());
    let places = sample.chunks(sample.len().div_ceil(PLACES).max(1));
    share(sample, matches).is_some_and(|share| share * length / 1_000 > most / 3 * 2)
        && places.filter(|rows| rows.iter().any(matches)).count() >= ENOUGH_PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_asked_for_all_that_filters_ask_for() {
        let [genre, other] = [1, 2].map(Uuid::from_u128);
        let row = Sampled {
            title_norm: "letitbe".to_owned(),
            artist_norm: "beatles".to_owned(),
            album_norm: String::new(),
            genre_id: genre,
            is_global: true,
            is_active: true,
        };
        let sample = vec![row; ENOUGH];
        let all = Filters {
            title: vec!["no".to_owned(), "it".to_owned()],
            artist: vec!["eat".to_owned()],
            artists: Some(vec!["beatles".to_owned()]),
            album: Vec::new(),
            genres: Some(vec![other, genre]),
            visibility: Some(Visibility::Global),
            is_active: Some(true),
        };
        let texts = |part: &str| vec![part.to_owned()];
        assert!(are_many(&sample, 1_000, 1_000, &all) && are_many(&sample, 1_000, 1_000, &Filters::default()));
        assert!(!are_many(&sample, 1_000, 2_000, &all), "they are not so many");
        assert!(!are_many(&sample[1..], 1_000, 1_000, &all), "a smaller sample says nothing");
        let mut album = sample.clone();
        album.iter_mut().skip(50).for_each(|row| row.album_norm = "other".to_owned());
        let of_album = Filters { album: texts("help"), ..Filters::default() };
        album.iter_mut().take(50).for_each(|row| row.album_norm = "help".to_owned());
        assert!(!are_many(&album, 1_000_000, 1_000, &of_album), "of one place of the list there may be few");
        for other in [
            Filters { title: texts("x"), ..all.clone() },
            Filters { artist: texts("x"), ..all.clone() },
            Filters { artists: Some(texts("eat")), ..all.clone() },
            Filters { album: texts("x"), ..all.clone() },
            Filters { genres: Some(vec![other]), ..all.clone() },
            Filters { visibility: Some(Visibility::Tenant), ..all.clone() },
            Filters { is_active: Some(false), ..all.clone() },
        ] {
            assert!(!are_many(&sample, 1_000, 1_000, &other), "{other:?}");
        }
    }
}
