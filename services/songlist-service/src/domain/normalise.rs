//! The form in which titles, artists and albums are compared, for duplicates, filters and search.

use std::borrow::Cow;
use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// NFKC, case folded. Only Latin, Greek and Cyrillic letters lose accents (कल is not कुल); `&` becomes "and"; a leading
/// "the" and all but letters, marks and digits are removed. If nothing is left ("!!!"), it is the case-folded text.
pub(crate) fn compared(text: &str) -> String {
    let folded = folded(text);
    let worded = without_accents(&folded).replace('&', " and ");
    let worded = worded.trim_start();
    let bare = worded.strip_prefix("the ").unwrap_or(worded);
    let kept: String = bare.chars().filter(|c| c.is_alphanumeric() || is_combining_mark(*c)).collect();
    if kept.is_empty() { folded.trim().to_owned() } else { kept }
}

/// The words of a text in the compared form: what joins letters to one word (an apostrophe) goes, other signs part words.
pub(crate) fn words(text: &str) -> Vec<String> {
    let worded = without_accents(&folded(text)).replace('&', " and ").replace(['\'', '’', '`'], "");
    let parts = worded.split(|c: char| !(c.is_alphanumeric() || is_combining_mark(c)));
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// What a search looks through: the words of artist, title and album, and behind a second space artist and title as one word
/// each, with a space before every word and after the last one. An index has the parts between spaces, and "ledzeppelin" is one.
pub(crate) fn searched(title: &str, artist: &str, album: &str) -> String {
    let mut seen = HashSet::new();
    let words_of = [artist, title, album].map(words);
    let several = |(text, words): (_, &Vec<String>)| (words.len() > 1).then(|| compared(text));
    let joined: Vec<String> = [artist, title].into_iter().zip(&words_of).filter_map(several).collect();
    let plain: Vec<String> = words_of.into_iter().flatten().filter(|word| seen.insert(word.clone())).collect();
    let joined: Vec<String> = joined.into_iter().filter(|word| seen.insert(word.clone())).collect();
    let spaced = |words: Vec<String>| words.into_iter().map(|word| format!(" {word}")).collect::<String>();
    match (spaced(plain), spaced(joined)) {
        (plain, joined) if joined.is_empty() => format!("{plain} "),
        (plain, joined) => format!("{plain} {joined} "),
    }
}

/// The words of [`searched`] that are no joined ones.
pub(crate) fn plain_words(searched: &str) -> impl Iterator<Item = &str> {
    let plain = searched.split_once("  ").map_or(searched, |(plain, _joined)| plain);
    plain.split(' ').filter(|word| !word.is_empty())
}

/// The form in which names of genres and playlists are compared: case, width and surrounding spaces do not count.
pub(crate) fn compared_name(text: &str) -> String {
    folded(text.trim())
}

/// NFKC, case folded. ASCII is its own normal form, which most titles are; half the time of an import went here.
fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    caseless::default_case_fold_str(&text.nfkc().collect::<String>()).nfkc().collect()
}

fn without_accents(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut base_loses_marks = false;
    let kept = text
        .nfd()
        .filter(|c| {
            if is_combining_mark(*c) {
                return !base_loses_marks;
            }
            base_loses_marks = is_european(*c);
            true
        })
        .nfc();
    Cow::Owned(kept.collect())
}

/// True for letters of the Latin, Greek and Cyrillic scripts.
fn is_european(c: char) -> bool {
    matches!(c, 'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{52f}' | '\u{1e00}'..='\u{1fff}')
}

/// True for letters of scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, Japanese and Chinese ones.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(
        c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}'
    )
}

#[cfg(test)]
mod tests {
    use super::{compared, folded, is_unspaced, plain_words, searched, words};

    #[test]
    fn every_ascii_character_has_the_form_that_unicode_gives_it() {
        use unicode_normalization::UnicodeNormalization;
        for c in 0..=127_u8 {
            let text = char::from(c).to_string();
            let longer = format!("{text}é");
            assert_eq!(format!("{}é", folded(&text)), folded(&longer));
            assert_eq!(text.nfkd().collect::<String>(), text);
        }
    }

    #[test]
    fn case_accents_spaces_signs_and_a_leading_the_do_not_count() {
        for (one, other) in [
            ("Beyoncé", "BEYONCE"),
            ("Simon & Garfunkel", "simon and garfunkel"),
            ("The Beatles", "beatles"),
            ("Don't Stop Me Now", "dont stop me now"),
            ("AC/DC", "ac dc"),
            ("Ёлка", "елка"),
            ("ﬁre", "fire"),
        ] {
            assert_eq!(compared(one), compared(other));
        }
    }

    #[test]
    fn words_are_compared_one_by_one_and_a_joined_name_is_a_word_too() {
        assert_eq!(words("Don't Stop (Thinkin’ About) Tomorrow!"), ["dont", "stop", "thinkin", "about", "tomorrow"]);
        let searched_for = searched("T.N.T.", "AC/DC", "");
        assert_eq!(searched_for, " ac dc t n  acdc tnt ");
        assert_eq!(plain_words(&searched_for).collect::<Vec<_>>(), ["ac", "dc", "t", "n"]);
        assert_eq!(searched("Hello", "Beyoncé", "I Am"), " beyonce hello i am ");
        assert_eq!(searched("!!!", "???", ""), " ");
        assert_eq!(words("कल हो ना हो").len(), 4);
    }

    #[test]
    fn marks_of_indian_scripts_count() {
        assert_ne!(compared("कल"), compared("कुल"));
        assert_ne!(compared("தமிழ்"), compared("தமழ"));
    }

    #[test]
    fn scripts_with_spaces_between_words_are_told_from_those_without() {
        assert!("東のアไកခລ".chars().all(is_unspaced));
        assert!(!"eéжकத한ع1!".chars().any(is_unspaced));
    }

    #[test]
    fn a_text_of_signs_only_is_itself() {
        assert_eq!(compared("!!!"), "!!!");
        assert_ne!(compared("???"), compared("!!!"));
        assert_eq!(compared("The The"), "the");
    }
}
