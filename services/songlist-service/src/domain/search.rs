//! Ranked search, in stages: what is typed right is found by its beginning and its words; only when that is not enough, the
//! words are compared with those that are known, which costs more.

use std::collections::{HashMap, HashSet};
use std::future::Future;

use futures_util::future::try_join3;
use kit::ids::TenantId;
use kit::page::Page;
use kit_pg::{Conn, TxError, Window, in_order};
use uuid::Uuid;

use super::ranking::{Candidate, Rank, Tier, Typed, may_mean, rank};
use crate::store::filters::Filters;
use crate::store::search::{AllOf, Hit, Stage};
use crate::store::search_words::{self, Vocabulary};
use crate::store::songs::{self, Catalogue};
use crate::store::tenant_song_pages;

/// The most songs that a search finds: the best ones.
const MOST: usize = 1_000;
/// With so many songs whose words begin as typed, nobody has mistyped.
const ENOUGH: usize = 10;
/// With so many similar songs no word is left out.
const ENOUGH_ALIKE: usize = 3;
/// The longest words of a search are compared with those that are known, so many at most.
const MAX_COMPARED: usize = 6;
/// So many known words may be meant by one.
const MAX_MEANT: usize = 4;
/// The most words for which similar ones are looked for.
const MAX_UNKNOWN: usize = 4;
/// The most readings of one search.
const MAX_READINGS: usize = 8;
/// Songs that are compared without a pause.
const COMPARED_AT_A_TIME: usize = 50;
/// Shorter words do not narrow a search down.
const MIN_LETTERS: usize = 3;

/// Where songs are searched.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    List(TenantId),
    Catalogue(Catalogue),
}

impl Place {
    /// The hits of a stage among the rows that meet the filters.
    async fn hits(self, conn: &Conn, filters: &Filters, stage: &Stage) -> Result<Vec<Hit>, TxError> {
        match self {
            Self::List(tenant) => tenant_song_pages::hits(conn, tenant, filters, stage).await,
            Self::Catalogue(catalogue) => songs::hits(conn, catalogue, filters, stage).await,
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
    let stages =
        [Stage::Title(typed.whole.clone()), Stage::Artist(typed.whole.clone()), Stage::Words(longest(&typed.words, 1))];
    let [title, artist, words] = stages.each_ref().map(|stage| list.hits(conn, filters, stage));
    let words = async { if typed.words.is_empty() { Ok(Vec::new()) } else { words.await } };
    let (title, artist, words) = try_join3(title, artist, words).await?;
    let mut found = Found::new(typed);
    for hits in [title, artist, words] {
        found.add(hits).await;
    }
    if !found.is_enough() {
        let readings = readings(conn, &list.vocabularies(), typed).await?;
        found.add(list.hits(conn, filters, &Stage::Meant(readings.strict)).await?).await;
        if found.at_least(Tier::Alike) < ENOUGH_ALIKE && !readings.loose.is_empty() {
            found.add(list.hits(conn, filters, &Stage::Meant(readings.loose)).await?).await;
        }
        // A part of one or two letters is nearly everywhere.
        if typed.whole.chars().count() >= MIN_LETTERS {
            found.add_parts(list.hits(conn, filters, &Stage::Part(typed.whole.clone())).await?);
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

    /// Adds the hits that fit.
    async fn add(&mut self, hits: Vec<Hit>) {
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

/// How mistyped words may be read.
struct Readings {
    /// Every word means something.
    strict: Vec<AllOf>,
    /// One word is left out.
    loose: Vec<AllOf>,
}

async fn readings(conn: &Conn, vocabularies: &[Vocabulary], typed: &Typed) -> Result<Readings, TxError> {
    let words = longest(&typed.words, MIN_LETTERS);
    let splits = splits_of(&words);
    let mut texts: Vec<String> = splits.iter().flat_map(|(_, a, b)| [a.clone(), b.clone()]).collect();
    texts.extend(words.iter().cloned());
    texts.extend(pairs_of(&typed.words).map(<[String]>::concat));
    texts.push(typed.whole.clone());
    let known = search_words::known(conn, vocabularies, &texts).await?;
    let known: HashSet<&str> = known.iter().map(String::as_str).collect();
    // A known word means itself. Looking for similar ones takes as long as everything else together.
    let mut unknown: Vec<String> = words.iter().filter(|word| !known.contains(word.as_str())).cloned().collect();
    unknown.truncate(MAX_UNKNOWN);
    if typed.words.len() <= 2 && !known.contains(typed.whole.as_str()) && !unknown.contains(&typed.whole) {
        unknown.push(typed.whole.clone());
    }
    let similar = search_words::similar(conn, vocabularies, &unknown).await?;
    let mut meant: HashMap<&str, Vec<String>> = known.iter().map(|word| (*word, vec![(*word).to_owned()])).collect();
    for found in similar.iter().filter(|found| may_mean(&found.asked, &found.word)) {
        let words = meant.entry(found.asked.as_str()).or_default();
        // Words are found by their beginnings, so a word that begins with another one adds nothing.
        if words.len() < MAX_MEANT && !words.iter().any(|word| found.word.starts_with(word)) {
            words.push(found.word.clone());
        }
    }
    Ok(combined(typed, &words, &meant, &splits, &known))
}

/// Two words that may have been meant as one.
fn pairs_of(words: &[String]) -> impl Iterator<Item = &[String]> {
    words.windows(2).take(2 * MAX_COMPARED)
}

/// The words that narrow a search down: the longest ones, in their order.
fn longest(words: &[String], least: usize) -> Vec<String> {
    let mut by_length: Vec<(usize, &String)> = words.iter().enumerate().collect();
    by_length.retain(|(_, word)| word.chars().count() >= least || words.len() == 1);
    by_length.sort_by_key(|(place, word)| (std::cmp::Reverse(word.len()), *place));
    by_length.truncate(MAX_COMPARED);
    by_length.sort_by_key(|(place, _)| *place);
    by_length.into_iter().map(|(_, word)| word.clone()).collect()
}

/// Every way to part one word into two, as the word and its parts.
fn splits_of(words: &[String]) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for word in words.iter().filter(|word| word.chars().count() <= 40) {
        for (at, _) in word.char_indices().skip(1) {
            let (a, b) = word.split_at(at);
            all.push((word.clone(), a.to_owned(), b.to_owned()));
        }
    }
    all
}

fn combined(
    typed: &Typed,
    words: &[String],
    meant: &HashMap<&str, Vec<String>>,
    splits: &[(String, String, String)],
    known: &HashSet<&str>,
) -> Readings {
    // A word that means nothing known is left out: it cannot be searched for.
    let of = |word: &String| meant.get(word.as_str()).cloned();
    let base: AllOf = words.iter().filter_map(of).collect();
    let without = |word: &str| -> AllOf {
        let others = words.iter().filter(|other| other.as_str() != word);
        others.filter_map(of).collect()
    };
    let mut strict: Vec<AllOf> = Vec::new();
    if !base.is_empty() {
        strict.push(base.clone());
    }
    if let Some(whole) = of(&typed.whole) {
        strict.push(vec![whole]);
    }
    for pair in pairs_of(&typed.words) {
        if let ([first, second], Some(joined)) = (pair, of(&pair.concat())) {
            let others = words.iter().filter(|word| *word != first && *word != second).filter_map(of);
            strict.push(others.chain([joined]).collect());
        }
    }
    for (word, a, b) in splits.iter().filter(|(_, a, b)| known.contains(a.as_str()) && known.contains(b.as_str())) {
        let mut all = without(word);
        all.extend([vec![a.clone()], vec![b.clone()]]);
        strict.push(all);
    }
    strict.truncate(MAX_READINGS);
    let loose = if base.len() < 2 { Vec::new() } else { words.iter().map(|word| without(word)).collect() };
    Readings { strict, loose: loose.into_iter().filter(|all: &AllOf| !all.is_empty()).collect() }
}
