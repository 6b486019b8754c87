//! The form in which titles, artists and albums are compared, for duplicates, filters and search.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// NFKC, case folded. Only Latin, Greek and Cyrillic letters lose accents (कल is not कुल); `&` becomes "and"; a leading
/// "the" and all but letters, marks and digits are removed. If nothing is left ("!!!"), it is the case-folded text.
pub(crate) fn compared(text: &str) -> String {
    let folded: String = caseless::default_case_fold_str(&text.nfkc().collect::<String>()).nfkc().collect();
    let worded = without_accents(&folded).replace('&', " and ");
    let worded = worded.trim_start();
    let bare = worded.strip_prefix("the ").unwrap_or(worded);
    let kept: String = bare.chars().filter(|c| c.is_alphanumeric() || is_combining_mark(*c)).collect();
    if kept.is_empty() { folded.trim().to_owned() } else { kept }
}

/// The form in which names of genres and playlists are compared: case, width and surrounding spaces do not count.
pub(crate) fn compared_name(text: &str) -> String {
    caseless::default_case_fold_str(&text.trim().nfkc().collect::<String>()).nfkc().collect()
}

fn without_accents(text: &str) -> String {
    let mut base_loses_marks = false;
    text.nfd()
        .filter(|c| {
            if is_combining_mark(*c) {
                return !base_loses_marks;
            }
            base_loses_marks = is_european(*c);
            true
        })
        .nfc()
        .collect()
}

/// True for letters of the Latin, Greek and Cyrillic scripts.
fn is_european(c: char) -> bool {
    matches!(c, 'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{52f}' | '\u{1e00}'..='\u{1fff}')
}

#[cfg(test)]
mod tests {
    use super::compared;

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
    fn marks_of_indian_scripts_count() {
        assert_ne!(compared("कल"), compared("कुल"));
        assert_ne!(compared("தமிழ்"), compared("தமழ"));
    }

    #[test]
    fn a_text_of_signs_only_is_itself() {
        assert_eq!(compared("!!!"), "!!!");
        assert_ne!(compared("???"), compared("!!!"));
        assert_eq!(compared("The The"), "the");
    }
}
