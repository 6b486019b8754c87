//! Songs that come onto a tenant's list.

use std::collections::{BTreeSet, HashSet};

use kit::ids::TenantId;
use kit_pg::{Conn, TxError};
use uuid::Uuid;

use super::normalise::plain_words;
use super::quotas;
use crate::store::search_words::{self, Vocabulary};
use crate::store::songs::Song;
use crate::store::tenant_songs::{self, Link, TenantSong};

/// What a transaction has linked so far.
#[derive(Default)]
pub(super) struct Linked {
    pub total: usize,
    approved: usize,
    words: BTreeSet<String>,
}

impl Linked {
    /// Adds `linked`, those of `links` that were not on the list.
    pub(super) fn add(&mut self, links: &[Link], linked: &[TenantSong]) {
        self.total += linked.len();
        self.approved += linked.iter().filter(|link| link.is_active).count();
        let new: HashSet<Uuid> = linked.iter().map(|link| link.song_id).collect();
        let songs = links.iter().filter(|link| new.contains(&link.song_id));
        self.words.append(&mut vocabulary(songs.map(|link| (link.words.as_str(), link.artist_norm.as_str()))));
    }

    /// Writes down the counts of the list and its words, and checks its length. Called once and last, because everybody else who
    /// changes the list waits for the rows that this writes.
    ///
    /// # Errors
    /// `quota_exceeded`.
    pub(super) async fn finish(self, conn: &mut Conn, tenant: TenantId) -> Result<(), TxError> {
        search_words::add(conn, Vocabulary::of(tenant), &self.words).await?;
        tenant_songs::count_in(conn, tenant, self.total, self.approved).await?;
        quotas::check_songs(conn, tenant).await
    }
}

/// The words that a mistyped one may mean, of songs with these words and artists.
pub(crate) fn vocabulary<'a>(songs: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeSet<String> {
    songs.flat_map(|(words, artist)| plain_words(words).chain([artist])).map(str::to_owned).collect()
}

/// Adds the words of a song.
pub(super) async fn learn(conn: &mut Conn, vocabulary_of: Vocabulary, song: &Song) -> Result<(), TxError> {
    let words = vocabulary(std::iter::once((song.words.as_str(), song.artist_norm.as_str())));
    search_words::add(conn, vocabulary_of, &words).await
}
