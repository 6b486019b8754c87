//! Ranked search, in stages: what is typed right is found by its beginning and its words; only when that is not enough, the
//! words are compared with those that are known, which costs more.

use std::collections::HashSet;
use std::future::Future;

use futures_util::future::try_join4;
use kit::ids::TenantId;
use kit::page::Page;
use kit_pg::{Conn, TxError, Window, in_order, with_one_plan};
use uuid::Uuid;

use super::normalise::is_unspaced;
use super::ranking::{Candidate, Rank, Tier, Typed, rank};
use super::readings::{Beginnings, MIN_LETTERS};
use crate::store::filters::Filters;
use crate::store::search::{Hit, Length, Stage};
use crate::store::search_words::Vocabulary;
use crate::store::songs::Catalogue;
use crate::store::{song_pages, tenant_song_pages, tenant_songs};

/// The most songs that a search finds: the best ones.
const MOST: usize = 1_000;
/// With so many songs whose words begin as typed, nobody has mistyped.
const ENOUGH: usize = 10;
/// With so many songs in which every word means something no word is left out.
const ENOUGH_ALIKE: usize = 1;
/// A song that is so similar, in thousandths, is the one that is meant: no joined and parted words are looked for.
const MEANT: u32 = 900;
/// A list of so many songs is read through faster than an index of words, in which those of all tenants stand together.
const SHORT: i64 = 2_000;
/// Songs that are compared without a pause.
const COMPARED_AT_A_TIME: usize = 50;

/// Where songs are searched.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    List(TenantId),
    Catalogue(Catalogue),
}

impl Place {
    /// How its rows are found.
    async fn length(self, conn: &Conn) -> Result<Length, TxError> {
        match self {
            Self::List(tenant) if tenant_songs::total(conn, tenant).await? <= SHORT => Ok(Length::Short),
            Self::List(_) | Self::Catalogue(_) => Ok(Length::Long),
        }
    }

    /// True when what begins as typed is found in the same way for all values. Filters need plans of their own, and so do the few own songs
    /// on a list of GLOBAL ones; the catalogue has an index for each visibility.
    fn has_one_plan(self, filters: &Filters) -> bool {
        match self {
            Self::List(_) => filters.plain(),
            Self::Catalogue(_) => filters.plain_but_visibility(),
        }
    }

    /// The hits of a stage among the rows that meet the filters.
    async fn hits(self, conn: &Conn, length: Length, filters: &Filters, stage: &Stage) -> Result<Vec<Hit>, TxError> {
        match self {
            Self::List(tenant) => tenant_song_pages::hits(conn, tenant, length, filters, stage).await,
            Self::Catalogue(catalogue) => song_pages::hits(conn, catalogue, filters, stage).await,
        }
    }

    /// Whose words are compared.
    fn vocabularies(self) -> Vec<Vocabulary> {
        match self {
            Self::List(tenant) => vec![Vocabulary::of(tenant)],
            Self::Catalogue(catalogue) => Vocabulary::in_catalogue(catalogue),
        }
    }
}

/// The ids of the songs that a search finds, links on a tenant's list and songs in the catalogue, the best first.
pub(crate) async fn find(conn: &Conn, list: Place, filters: &Filters, typed: &Typed) -> Result<Vec<Uuid>, TxError> {
    let vocabularies = list.vocabularies();
    let (title, artist) = (Stage::Title(typed.whole.clone()), Stage::Artist(typed.whole.clone()));
    let first = async |conn: &Conn| {
        // By the beginning they are found in the same way on every list.
        let begin = |stage| list.hits(conn, Length::Long, filters, stage);
        try_join4(begin(&title), begin(&artist), Beginnings::of(conn, &vocabularies, typed), list.length(conn)).await
    };
    // Planning these takes half of a search.
    let first = if list.has_one_plan(filters) { with_one_plan(conn, first).await } else { first(conn).await };
    let (title, artist, beginnings, length) = first?;
    let hits = async |stage: Stage| list.hits(conn, length, filters, &stage).await;
    let words = Stage::Words(beginnings.wanted(length));
    let words = if typed.words.is_empty() { Vec::new() } else { hits(words).await? };
    let mut found = Found::new(typed);
    for hits in [title, artist, words] {
        found.add(hits).await;
    }
    for wanted in beginnings.alternatives() {
        if !found.is_enough() {
            found.add(hits(Stage::Words(wanted)).await?).await;
        }
    }
    if !found.is_enough() {
        let readings = beginnings.readings(conn, &vocabularies, typed).await?;
        let mut best = None;
        for strict in [readings.plain, readings.parted] {
            if best < Some((Tier::Alike, MEANT)) && !strict.is_empty() {
                best = best.max(found.add(hits(Stage::Meant(strict)).await?).await);
            }
        }
        if found.at_least(Tier::Alike) < ENOUGH_ALIKE && !readings.loose.is_empty() {
            found.add(hits(Stage::Meant(readings.loose)).await?).await;
        }
        if may_be_part(typed) {
            found.add_parts(hits(Stage::Part(typed.whole.clone())).await?);
        }
    }
    Ok(found.in_order())
}

/// A page of what a search has found, and how many songs it has found when the page has a count. `rows` reads rows by their ids.
pub(crate) async fn page<T, F: Future<Output = Result<Vec<T>, TxError>>>(
    page: &Page,
    window: Window,
    found: Vec<Uuid>,
    rows: impl FnOnce(Vec<Uuid>) -> F,
    id: impl Fn(&T) -> Uuid,
) -> Result<(Option<i64>, Vec<T>), TxError> {
    let count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    page.check_range(count)?;
    let size = |rows: i64| usize::try_from(rows).unwrap_or(usize::MAX);
    let wanted: Vec<Uuid> = found.into_iter().skip(size(window.offset)).take(size(window.rows)).collect();
    let rows = in_order(rows(wanted.clone()).await?, &wanted, id);
    Ok((page.counted().then_some(count), rows))
}

/// True when songs are looked for that contain what was typed anywhere. One or two letters are nearly everywhere, unless their script puts
/// no spaces between words. Signs are in no index.
fn may_be_part(typed: &Typed) -> bool {
    let is_word = |whole: &str| whole.chars().count() >= MIN_LETTERS || whole.chars().any(is_unspaced);
    !typed.words.is_empty() && is_word(&typed.whole)
}

/// What the stages have found, each song once.
struct Found<'a> {
    typed: &'a Typed,
    seen: HashSet<Uuid>,
    songs: Vec<(Rank, Hit)>,
}

impl<'a> Found<'a> {
    fn new(typed: &'a Typed) -> Self {
        Self { typed, seen: HashSet::new(), songs: Vec::new() }
    }

    /// Adds the hits that fit; returns the best rank of those that were not there yet.
    async fn add(&mut self, hits: Vec<Hit>) -> Option<Rank> {
        let before = self.songs.len();
        for (number, hit) in (1..).zip(hits) {
            let song = Candidate { title: &hit.title, artist: &hit.artist, words: &hit.words };
            if !self.seen.contains(&hit.id)
                && let Some(rank) = rank(self.typed, song)
            {
                self.seen.insert(hit.id);
                self.songs.push((rank, hit));
            }
            // Other requests get a turn on this thread.
            if number % COMPARED_AT_A_TIME == 0 {
                tokio::task::yield_now().await;
            }
        }
        self.songs.iter().skip(before).map(|(rank, _)| *rank).max()
    }

    /// Adds hits of which title, artist or album contain what was typed.
    fn add_parts(&mut self, hits: Vec<Hit>) {
        let shorter = |hit: &Hit| u32::try_from(1_000 / (hit.title.len() + hit.artist.len()).max(1)).unwrap_or(0);
        for hit in hits {
            if self.seen.insert(hit.id) {
                self.songs.push(((Tier::Part, shorter(&hit)), hit));
            }
        }
    }

    fn at_least(&self, tier: Tier) -> usize {
        self.songs.iter().filter(|((known, _), _)| *known >= tier).count()
    }

    fn is_enough(&self) -> bool {
        self.at_least(Tier::Words) > 0 || self.at_least(Tier::Beginnings) >= ENOUGH
    }

    fn in_order(mut self) -> Vec<Uuid> {
        self.songs.sort_by(|(a_rank, a), (b_rank, b)| {
            b_rank.cmp(a_rank).then_with(|| (&a.title, &a.artist, a.id).cmp(&(&b.title, &b.artist, b.id)))
        });
        self.songs.into_iter().take(MOST).map(|(_, hit)| hit.id).collect()
    }
}
