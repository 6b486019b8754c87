//! Rules for text from clients.

use unicode_normalization::UnicodeNormalization;

/// Trims a text, normalises it to NFC and refuses characters that no field may contain.
///
/// # Errors
/// A sentence for the field when it contains NUL or another control character, or more than `max` characters.
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
/// As [`clean`], and when the text is empty after trimming.
pub fn required(text: &str, max: usize) -> Result<String, String> {
    let text = clean(text, max)?;
    if text.is_empty() { Err("This field may not be blank.".to_owned()) } else { Ok(text) }
}
