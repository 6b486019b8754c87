//! What the words of a search may mean: known words that begin so, and similar ones.

use std::collections::{BTreeSet, HashMap, HashSet};

use kit_pg::{Conn, TxError};

use super::ranking::{Typed, may_mean};
use crate::store::search::{AllOf, Length, Wanted};
use crate::store::search_words::{self, Vocabulary};

/// Shorter words do not narrow a search down.
pub(super) const MIN_LETTERS: usize = 3;
/// The longest words of a search are looked up, so many at most.
const MAX_COMPARED: usize = 6;
/// The beginning of more known words than this is broad: it is in so many songs that no index is asked for it.
const MAX_BEGINNING: usize = 50;
/// In a reading, a beginning of more words than this is only the word itself.
const MAX_COMPLETED: usize = 20;
/// So many known words may be meant by a mistyped one.
const MAX_MEANT: usize = 8;
/// The most words for which similar ones are looked for.
const MAX_UNKNOWN: usize = 4;
/// The most readings of one search.
const MAX_READINGS: usize = 8;

/// The words that narrow a search down, each with the known ones that begin so.
pub(super) struct Beginnings {
    words: Vec<String>,
    known: HashMap<String, BTreeSet<String>>,
}

/// How mistyped words may be read.
pub(super) struct Readings {
    /// Every word means something, or all together mean one word.
    pub plain: Vec<AllOf>,
    /// Every word means something when two of them are joined to one, or one is parted into two: each of these readings is a look-up by itself.
    pub parted: Vec<AllOf>,
    /// One word is left out.
    pub loose: Vec<AllOf>,
}

impl Beginnings {
    /// Looks the words up.
    pub(super) async fn of(conn: &Conn, vocabularies: &[Vocabulary], typed: &Typed) -> Result<Self, TxError> {
        let words = longest(&typed.words, 1);
        let most = i64::try_from(MAX_BEGINNING + 1).unwrap_or(i64::MAX);
        let mut known: HashMap<String, BTreeSet<String>> = HashMap::new();
        for found in search_words::beginning_with(conn, vocabularies, &words, most).await? {
            known.entry(found.asked).or_default().insert(found.word);
        }
        Ok(Self { words, known })
    }

    /// What a song has that has all the words, or words that begin so.
    pub(super) fn wanted(&self, length: Length) -> Vec<Wanted> {
        // The word itself may be a title that was joined, which is no known word.
        let one_of = |word: &String| match length {
            // One beginning is compared sooner than all the words that it may be.
            Length::Short if !self.is_broad(word) => begins(word),
            _ => {
                let completed = self.beginning(word).take(MAX_BEGINNING);
                Wanted::OneOf(completed.chain([word.clone()]).collect())
            }
        };
        match self.words.as_slice() {
            // Titles and artists that begin so are found by their own stages.
            [word] => vec![one_of(word)],
            // Some of them must be found by the index.
            words if self.all_are_broad() => words.iter().map(|word| whole(word)).collect(),
            words => {
                let wanted = |word: &String| if self.is_broad(word) { begins(word) } else { one_of(word) };
                words.iter().map(wanted).collect()
            }
        }
    }

    /// What a song may have instead when all beginnings are broad, in the order in which it is looked for: who types the last word has
    /// typed the others; or the first of two words is the beginning.
    pub(super) fn alternatives(&self) -> Vec<Vec<Wanted>> {
        match self.words.as_slice() {
            [first, last] if self.all_are_broad() => {
                vec![vec![whole(first), begins(last)], vec![begins(first), whole(last)]]
            }
            [others @ .., last] if self.all_are_broad() && !others.is_empty() => {
                vec![others.iter().map(|word| whole(word)).chain([begins(last)]).collect()]
            }
            _ => Vec::new(),
        }
    }

    fn all_are_broad(&self) -> bool {
        self.words.iter().all(|word| self.is_broad(word))
    }

    fn is_broad(&self, word: &str) -> bool {
        self.beginning(word).nth(MAX_BEGINNING).is_some()
    }

    fn beginning<'a>(&'a self, word: &str) -> impl Iterator<Item = String> + use<'a> {
        self.known.get(word).into_iter().flatten().cloned()
    }

    /// How the words may be read when they are mistyped.
    pub(super) async fn readings(
        &self,
        conn: &Conn,
        vocabularies: &[Vocabulary],
        typed: &Typed,
    ) -> Result<Readings, TxError> {
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
        let mut meant: HashMap<&str, Vec<String>> =
            known.iter().map(|word| (*word, vec![(*word).to_owned()])).collect();
        for found in similar.iter().filter(|found| may_mean(&found.asked, &found.word)) {
            let words = meant.entry(found.asked.as_str()).or_default();
            if words.len() < MAX_MEANT {
                words.push(found.word.clone());
            }
        }
        for word in words.iter().filter(|word| self.beginning(word).nth(MAX_COMPLETED).is_none()) {
            let completed: Vec<String> = self.beginning(word).collect();
            if !completed.is_empty() {
                meant.entry(word.as_str()).or_default().extend(completed);
            }
        }
        Ok(combined(typed, &words, &meant, &splits, &known))
    }
}

fn whole(word: &str) -> Wanted {
    Wanted::OneOf(vec![word.to_owned()])
}

fn begins(word: &str) -> Wanted {
    Wanted::Begins(word.to_owned())
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
    let mut plain: Vec<AllOf> = Vec::new();
    if !base.is_empty() {
        plain.push(base.clone());
    }
    if let Some(whole) = of(&typed.whole) {
        plain.push(vec![whole]);
    }
    let mut parted: Vec<AllOf> = Vec::new();
    for pair in pairs_of(&typed.words) {
        if let ([first, second], Some(joined)) = (pair, of(&pair.concat())) {
            let others = words.iter().filter(|word| *word != first && *word != second).filter_map(of);
            parted.push(others.chain([joined]).collect());
        }
    }
    for (word, a, b) in splits.iter().filter(|(_, a, b)| known.contains(a.as_str()) && known.contains(b.as_str())) {
        let mut all = without(word);
        all.extend([vec![a.clone()], vec![b.clone()]]);
        parted.push(all);
    }
    parted.truncate(MAX_READINGS - plain.len());
    let loose = if base.len() < 2 { Vec::new() } else { words.iter().map(|word| without(word)).collect() };
    Readings { plain, parted, loose: loose.into_iter().filter(|all: &AllOf| !all.is_empty()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginnings of words, some of which begin many words.
    fn beginnings(words: &[&str], broad: &[&str]) -> Beginnings {
        let many = |word: &str| (0..=MAX_BEGINNING).map(|number| format!("{word}{number:03}")).collect::<BTreeSet<_>>();
        let known = broad.iter().map(|word| ((*word).to_owned(), many(word)));
        let few = ("quee".to_owned(), BTreeSet::from(["queen".to_owned()]));
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Beginnings { words, known: known.chain([few]).collect() }
    }

    fn typed(words: &[&str], broad: &[&str]) -> Vec<Wanted> {
        beginnings(words, broad).wanted(Length::Long)
    }

    fn one_of(words: &[&str]) -> Wanted {
        Wanted::OneOf(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn a_beginning_is_completed_and_the_word_itself_may_be_one() {
        assert_eq!(typed(&["quee"], &[]), [one_of(&["queen", "quee"])]);
        assert_eq!(typed(&["letitbe", "quee"], &[]), [one_of(&["letitbe"]), one_of(&["queen", "quee"])]);
    }

    #[test]
    fn a_beginning_of_many_words_is_looked_for_in_the_songs_with_the_other_words() {
        assert_eq!(typed(&["quee", "bo"], &["bo"]), [one_of(&["queen", "quee"]), Wanted::Begins("bo".to_owned())]);
    }

    #[test]
    fn on_a_short_list_a_beginning_is_compared_unless_so_many_words_begin_with_it_that_only_some_are_meant() {
        let begins = |word: &str| Wanted::Begins(word.to_owned());
        assert_eq!(beginnings(&["quee", "let"], &[]).wanted(Length::Short), [begins("quee"), begins("let")]);
        assert_eq!(beginnings(&["quee", "bo"], &["bo"]).wanted(Length::Short), [begins("quee"), begins("bo")]);
        for all_broad in [vec!["na"], vec!["back", "bla"]] {
            let broad = beginnings(&all_broad, &all_broad);
            assert_eq!(broad.wanted(Length::Short), broad.wanted(Length::Long));
        }
    }

    #[test]
    fn of_broad_beginnings_all_are_words_at_first_and_then_one_of_two_is_a_beginning() {
        let (back, bla) = (|| one_of(&["back"]), || one_of(&["bla"]));
        let both = beginnings(&["back", "bla"], &["back", "bla"]);
        assert_eq!(both.wanted(Length::Long), [back(), bla()]);
        let begins = |word: &str| Wanted::Begins(word.to_owned());
        assert_eq!(both.alternatives(), [[back(), begins("bla")], [begins("back"), bla()]]);
        assert!(beginnings(&["quee", "bo"], &["bo"]).alternatives().is_empty());
        let alone = typed(&["na"], &["na"]);
        let [Wanted::OneOf(words)] = alone.as_slice() else { panic!("not by the index: {alone:?}") };
        assert_eq!((words.len(), words.last().map(String::as_str)), (MAX_BEGINNING + 1, Some("na")));
    }

    #[test]
    fn words_as_they_are_and_all_of_them_as_one_come_before_joined_and_parted_ones() {
        let all = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
        let typed = Typed::new("beatlesblackbrid", all(&["beatles", "black", "brid"]));
        let meant = [("beatles", "beatles"), ("black", "black"), ("brid", "bird"), ("blackbrid", "blackbird")];
        let meant = meant.into_iter().map(|(asked, word)| (asked, all(&[word])));
        let meant: HashMap<&str, Vec<String>> = meant.chain([("beatlesblackbrid", all(&["all"]))]).collect();
        let splits = vec![("black".to_owned(), "bl".to_owned(), "ack".to_owned())];
        let known = HashSet::from(["bl", "ack"]);
        let readings = combined(&typed, &typed.words, &meant, &splits, &known);
        let of = |sets: &[&[&str]]| sets.iter().map(|words| all(words)).collect::<AllOf>();
        assert_eq!(readings.plain, [of(&[&["beatles"], &["black"], &["bird"]]), of(&[&["all"]])]);
        assert_eq!(
            readings.parted,
            [of(&[&["beatles"], &["blackbird"]]), of(&[&["beatles"], &["bird"], &["bl"], &["ack"]])]
        );
        assert_eq!(readings.loose[0], of(&[&["black"], &["bird"]]));
    }
}
