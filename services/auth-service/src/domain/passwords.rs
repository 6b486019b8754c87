use std::collections::HashSet;
use std::sync::LazyLock;

use kit::Secret;

use super::identity::{Person, compared};

/// The longest password; longer ones are refused before they are hashed.
pub(super) const MAX_CHARS: usize = 128;
const MIN_CHARS: usize = 8;
/// The most common passwords of eight characters and more (the list by Royce Williams that Django contains).
static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("../common_passwords.txt").lines().collect());

/// Checks a new password against the policy and the fields of its user.
///
/// # Errors
/// A sentence for the field.
pub(crate) fn check_new(password: &Secret, person: &Person) -> Result<(), String> {
    let text = password.expose();
    let chars = text.chars().count();
    if chars < MIN_CHARS {
        return Err(format!("Use at least {MIN_CHARS} characters."));
    }
    if chars > MAX_CHARS {
        return Err(format!("Use at most {MAX_CHARS} characters."));
    }
    if text.chars().all(|c| c.is_ascii_digit()) {
        return Err("Use more than digits.".to_owned());
    }
    let folded = compared(text);
    if COMMON.contains(folded.as_str()) {
        return Err("This password is too common.".to_owned());
    }
    let local = person.email.split('@').next().unwrap_or_default();
    let names: [&str; 6] =
        [&person.username, local, &person.first_name, &person.last_name, &person.tenant_name, "songlist"];
    if names.iter().any(|name| similar(&folded, &compared(name))) {
        return Err("This password is too similar to your names.".to_owned());
    }
    Ok(())
}

/// True when the name makes up most of the password, or contains the password. Only letters and digits count.
fn similar(password: &str, name: &str) -> bool {
    let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let (password, name) = (&plain(password), &plain(name));
    let (long, short) = (password.chars().count(), name.chars().count());
    short >= 4
        && (password.contains(name.as_str()) && short * 10 >= long * 6 || long >= 4 && name.contains(password.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Person {
        let text = str::to_owned;
        Person {
            username: text("anna.kumar"),
            email: text("anna@example.com"),
            first_name: text("Anna"),
            last_name: text("Kumar"),
            phone_no: String::new(),
            tenant_name: text("Blue Frog"),
        }
    }

    fn refused(password: &str) -> bool {
        check_new(&Secret::new(password), &person()).is_err()
    }

    #[test]
    fn pw_01_lengths_are_counted_in_characters() {
        assert!(refused("kx7!दलम") && !refused("kx7!दलमन"), "seven and eight");
        assert!(!refused(&"🎵x".repeat(64)) && refused(&format!("{}y", "🎵x".repeat(64))), "128 and 129");
    }

    #[test]
    fn pw_05_and_pw_07_common_and_personal_passwords_are_refused() {
        for bad in [
            "password",
            "PASSWORD1",
            "iloveyou1",
            "1234567890123",
            "anna.kumar",
            "Anna.Kumar1",
            "songlist1",
            "blue frog",
            "Blue Frog1",
            "bluefrog1",
            "annakumar1",
        ] {
            assert!(refused(bad), "{bad}");
        }
        assert!(!refused("correct horse battery"));
    }

    #[test]
    fn pw_02_any_characters_count_but_not_digits_alone() {
        for good in ["two words", "🎵🎸🥁🎹🎺🎻🪕🪗", "nothingspecial", "ALLCAPSHERE", &"1 ".repeat(30)]
        {
            assert!(!refused(good), "{good}");
        }
        assert!(refused(&"1234567890".repeat(7)), "a deviation: see SECURITY.md");
    }
}
