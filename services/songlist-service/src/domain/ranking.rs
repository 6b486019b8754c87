//! How well a song fits what was typed.

use strsim::osa_distance;

/// What was typed, in its compared forms.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    /// As one word.
    pub whole: String,
    pub words: Vec<String>,
}

/// What is longer than all titles is not compared letter by letter.
const MAX_LETTERS: usize = 100;
/// The words of a search and of a song that are compared, each with each.
const MAX_WORDS: usize = 12;
const MAX_WORDS_OF_SONG: usize = 32;

impl Typed {
    /// The compared form of a text and its words, as many of them as are compared.
    pub(crate) fn new(whole: &str, mut words: Vec<String>) -> Self {
        words.truncate(MAX_WORDS);
        Self { whole: whole.chars().take(MAX_LETTERS).collect(), words }
    }
}

/// A song that may be meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    /// Title and artist as one word each.
    pub title: &'a str,
    pub artist: &'a str,
    /// All words of the song with spaces between them.
    pub words: &'a str,
}

/// How a song was recognised, the best way last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// It is somewhere within title, artist or album.
    Part,
    /// It is similar.
    Alike,
    /// Every word that was typed begins a word of the song.
    Beginnings,
    /// Title or artist begin with it.
    Begins,
    /// Every word that was typed is a word of the song.
    Words,
    /// It is the title, the artist, or both.
    Whole,
}

/// The place of a song among others: tier and likeness from 0 to 1,000, the larger the better.
pub(crate) type Rank = (Tier, u32);

/// A less similar song is not meant, in thousandths.
const LEAST_ALIKE: u32 = 600;

/// The rank of a song; `None` when it does not fit.
pub(crate) fn rank(typed: &Typed, song: Candidate<'_>) -> Option<Rank> {
    let whole = typed.whole.as_str();
    let (title, artist) = (song.title, song.artist);
    let share = |length: usize| thousandths(whole.len(), length);
    if title == whole {
        return Some((Tier::Whole, 1_000));
    }
    if is_both(whole, title, artist) {
        return Some((Tier::Whole, 999));
    }
    if artist == whole {
        return Some((Tier::Whole, 998));
    }
    let words: Vec<&str> = song.words.split(' ').filter(|word| !word.is_empty()).collect();
    let all = |fits: fn(&str, &str) -> bool| {
        !typed.words.is_empty() && typed.words.iter().all(|asked| words.iter().any(|word| fits(word, asked)))
    };
    if all(|word, asked| word == asked) {
        return Some((Tier::Words, share(title.len() + artist.len())));
    }
    if title.starts_with(whole) {
        return Some((Tier::Begins, share(title.len())));
    }
    if artist.starts_with(whole) {
        return Some((Tier::Begins, share(artist.len()) / 2));
    }
    if all(|word, asked| word.starts_with(asked)) {
        return Some((Tier::Beginnings, share(title.len() + artist.len())));
    }
    let alike = likeness(typed, song, &words);
    (alike >= LEAST_ALIKE).then_some((Tier::Alike, alike))
}

fn is_both(whole: &str, title: &str, artist: &str) -> bool {
    whole.len() == title.len() + artist.len()
        && (whole.strip_prefix(title) == Some(artist) || whole.strip_prefix(artist) == Some(title))
}

fn thousandths(part: usize, whole: usize) -> u32 {
    u32::try_from(part * 1_000 / whole.max(1)).unwrap_or(1_000).min(1_000)
}

/// How similar a song is, in thousandths: word by word, or as a whole, whichever is more.
fn likeness(typed: &Typed, song: Candidate<'_>, words: &[&str]) -> u32 {
    let (title, artist) = (song.title, song.artist);
    let wholes = [title.to_owned(), artist.to_owned(), format!("{artist}{title}"), format!("{title}{artist}")];
    let as_a_whole = wholes.iter().map(|text| similarity(&typed.whole, text)).max().unwrap_or(0);
    as_a_whole.max(word_by_word(&typed.words, words.get(..MAX_WORDS_OF_SONG).unwrap_or(words)))
}

/// The similarity of the best reading of the words: each for itself, or joined with the one after it.
fn word_by_word(typed: &[String], words: &[&str]) -> u32 {
    // best[n] is that of the first n words: similarity times letters, so that long words count more.
    let mut best: Vec<u64> = vec![0];
    for (end, word) in typed.iter().enumerate() {
        let weight = |text: &str| u64::try_from(text.chars().count()).unwrap_or(0);
        let value = |text: &str| u64::from(closest(text, words)) * weight(text);
        let alone = best.get(end).copied().unwrap_or(0) + value(word);
        let joined = end.checked_sub(1).and_then(|before| {
            let pair = format!("{}{word}", typed.get(before)?);
            Some(best.get(before)? + value(&pair))
        });
        best.push(alone.max(joined.unwrap_or(0)));
    }
    let letters: usize = typed.iter().map(|word| word.chars().count()).sum();
    let letters = u64::try_from(letters.max(1)).unwrap_or(1);
    u32::try_from(best.last().copied().unwrap_or(0) / letters).unwrap_or(0)
}

fn closest(asked: &str, words: &[&str]) -> u32 {
    words.iter().map(|word| similarity(asked, word)).max().unwrap_or(0)
}

/// 1,000 for the same text, less for each letter that is missing, wrong, too many or swapped with its neighbour.
fn similarity(a: &str, b: &str) -> u32 {
    let (long, short) = (a.chars().count().max(b.chars().count()), a.chars().count().min(b.chars().count()));
    // Too different in length to be alike: the distance need not be computed.
    if short * 2 < long {
        return 0;
    }
    thousandths(long - osa_distance(a, b).min(long), long)
}

/// True when `word` may have been meant by `asked`: at most one wrong letter of three.
pub(crate) fn may_mean(asked: &str, word: &str) -> bool {
    osa_distance(asked, word) * 3 <= asked.chars().count().max(3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::normalise::{compared, searched, words};

    fn ranked(typed: &str, title: &str, artist: &str) -> Option<Rank> {
        let typed = Typed::new(&compared(typed), words(typed));
        let (title_form, artist_form) = (compared(title), compared(artist));
        let all = searched(title, artist, "");
        rank(&typed, Candidate { title: &title_form, artist: &artist_form, words: &all })
    }

    fn tier(typed: &str, title: &str, artist: &str) -> Option<Tier> {
        ranked(typed, title, artist).map(|(tier, _)| tier)
    }

    #[test]
    fn each_way_to_recognise_a_song_has_its_tier() {
        let song = |typed| tier(typed, "Let It Be", "The Beatles");
        assert_eq!(song("let it be"), Some(Tier::Whole));
        assert_eq!(song("Beatles"), Some(Tier::Whole));
        assert_eq!(song("beatles let it be"), Some(Tier::Whole));
        assert_eq!(song("letitbe beatles"), Some(Tier::Whole));
        assert_eq!(song("beatles be"), Some(Tier::Words));
        assert_eq!(song("let i"), Some(Tier::Begins));
        assert_eq!(song("beat i"), Some(Tier::Beginnings));
        assert_eq!(song("beetles let it be"), Some(Tier::Alike));
        assert_eq!(song("etitb"), Some(Tier::Alike));
        assert_eq!(song("queen"), None);
    }

    #[test]
    fn mistyped_words_are_recognised_in_any_order_joined_and_split() {
        for typed in [
            "pink floid money",
            "mony pink floyd",
            "money pinkfloyd",
            "pin kfloyd money",
            "pnik floyd moeny",
            "moneyy pink",
        ] {
            let (tier, meant) = ranked(typed, "Money", "Pink Floyd").unwrap_or((Tier::Part, 0));
            let other = ranked(typed, "Time", "Pink Floyd").unwrap_or((Tier::Part, 0));
            assert!((tier, meant) > other, "{typed}: {tier:?} {meant} {other:?}");
        }
    }

    #[test]
    fn a_word_may_mean_another_one_when_a_third_of_its_letters_is_wrong() {
        assert!(may_mean("qeuen", "queen") && may_mean("zepelin", "zeppelin") && may_mean("teh", "the"));
        assert!(!may_mean("money", "honest") && !may_mean("abba", "acdc"));
    }
}
