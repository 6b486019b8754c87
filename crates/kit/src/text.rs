//! Rules for text that comes from outside.

use unicode_normalization::UnicodeNormalization;

/// Trims a text, brings it to NFC and refuses what no field may hold.
///
/// # Errors
/// A sentence for the field when it holds NUL or another control character, or more than `max` characters.
pub fn clean(text: &str, max: usize) -> Result<String, String> {
    let trimmed: String = text.trim().nfc().collect();
    if trimmed.chars().any(char::is_control) {
        return Err("Control characters are not allowed.".to_owned());
    }
    if trimmed.chars().count() > max {
        return Err(format!("Ensure this field has no more than {max} characters."));
    }
    Ok(trimmed)
}

/// Like [`clean`] for a field that may not be empty.
///
/// # Errors
/// As [`clean`], and when nothing is left.
pub fn required(text: &str, max: usize) -> Result<String, String> {
    let text = clean(text, max)?;
    if text.is_empty() { Err("This field may not be blank.".to_owned()) } else { Ok(text) }
}
