//! Rules for text from clients.

use unicode_normalization::UnicodeNormalization;

/// Trims a text, normalises it to NFC and refuses characters that no field may contain.
///
/// # Errors
/// A sentence for the field when it contains NUL or another control character, or more than `max` characters.
pub fn clean(text: &str, max: usize) -> Result<String, String> {
    let text = text.trim();
    let trimmed: String = if text.is_ascii() { text.to_owned() } else { text.nfc().collect() };
    if trimmed.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Err("Control characters are not allowed.".to_owned());
    }
    if trimmed.chars().count() > max {
        return Err(format!("Ensure this field has no more than {max} characters."));
    }
    Ok(trimmed)
}

/// Like [`clean`] for a text of several lines; lines end with `\n`.
///
/// # Errors
/// As [`clean`].
pub fn clean_lines(text: &str, max: usize) -> Result<String, String> {
    let text = text.trim().replace("\r\n", "\n");
    let lines: Result<Vec<String>, String> = text.split('\n').map(|line| clean(line, max)).collect();
    let text = lines?.join("\n");
    clean(&text.replace('\n', " "), max)?;
    Ok(text)
}

/// Characters that change how the text around them is read, or that nobody sees: direction marks, zero-width spaces. The
/// joiners U+200C and U+200D are letters of Indic scripts and emoji.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Like [`clean`] for a field that may not be empty.
///
/// # Errors
/// As [`clean`], and when the text is empty after trimming.
pub fn required(text: &str, max: usize) -> Result<String, String> {
    let text = clean(text, max)?;
    if text.is_empty() { Err("This field may not be blank.".to_owned()) } else { Ok(text) }
}

/// A text as a cell of a file that may be opened in a spreadsheet, which takes one that begins with certain characters for a
/// formula.
pub fn no_formula(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        assert_eq!(no_formula("=1+1".to_owned()), "'=1+1");
        assert_eq!(no_formula("a=b".to_owned()), "a=b");
    }

    #[test]
    fn sf_30_characters_that_nobody_sees_are_refused_and_joiners_are_not() {
        for bad in ["a\u{202e}gpj.exe", "a\u{200b}b", "a\u{2066}b", "\u{feff}x", "a\u{0}b"] {
            assert!(clean(bad, 50).is_err(), "{bad:?}");
        }
        assert!(clean("क्\u{200d}ष", 50).is_ok());
    }

    #[test]
    fn cf_10_a_text_of_several_lines_keeps_its_line_breaks() {
        assert_eq!(clean_lines(" one\r\ntwo\n\nthree ", 50).as_deref(), Ok("one\ntwo\n\nthree"));
        assert!(clean_lines("one\n\u{1b}[31mtwo", 50).is_err() && clean_lines(&"x\n".repeat(40), 50).is_err());
    }
}
