//! E-mails, usernames and other fields of a user: how they are checked, stored and compared.

use kit::error::Faults;
use kit::text::{clean, required};
use unicode_normalization::UnicodeNormalization;

use crate::store::users::User;

/// The form in which e-mails, usernames and tenant names are compared: NFKC, case folded.
pub(crate) fn compared(text: &str) -> String {
    // No stored form contains a control character, and Postgres accepts no NUL: such a text must match no user.
    // A name copied out of a mail may hold word joiners, see `mail/templates.rs`.
    let shown = text.trim().nfkc().filter(|c| *c != '\u{2060}');
    let printable: String = shown.map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    caseless::default_case_fold_str(&printable).nfkc().collect()
}

/// The form in which filters compare names: as [`compared`], and Latin, Greek and Cyrillic letters lose accents. Marks of
/// other scripts count.
pub(crate) fn searchable(text: &str) -> String {
    let bare = |c: &char| !('\u{300}'..='\u{36f}').contains(c);
    compared(text).nfkd().filter(bare).nfc().collect()
}

/// The form in which filters compare first name, last name and username together.
pub(crate) fn search_name(names: [&str; 3]) -> String {
    searchable(&names.join(" "))
}

/// Adds a fault when neither an e-mail nor a username was given.
pub(crate) fn check_identifier(identifier: &str, faults: &mut Faults) {
    if identifier.trim().is_empty() {
        faults.add("non_field_errors", "Send either email or username.");
    }
}

/// Checks that a secret was sent at all; it is not checked further here.
pub(crate) fn given(text: &str) -> Result<(), String> {
    if text.is_empty() { Err("This field is required.".to_owned()) } else { Ok(()) }
}

/// The fields of a user after they were checked.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub phone_no: String,
    /// What else a password may not be like.
    pub tenant_name: String,
}

impl Person {
    /// The fields of a stored user.
    pub(crate) fn of(user: &User, tenant_name: Option<String>) -> Self {
        Self {
            username: user.username.clone(),
            email: user.email.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            phone_no: user.phone_no.clone(),
            tenant_name: tenant_name.unwrap_or_default(),
        }
    }

    /// The form in which filters compare the names.
    pub(crate) fn search_name(&self) -> String {
        search_name([&self.first_name, &self.last_name, &self.username])
    }
}

/// The fields of a user as they were received.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawPerson {
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub phone_no: String,
}

impl RawPerson {
    /// Checks every field; faults are added under the names of the fields. `tenant_name` is that of the organisation.
    pub(crate) fn check(&self, tenant_name: &str, faults: &mut Faults) -> Person {
        Person {
            username: faults.check("username", username(&self.username)).unwrap_or_default(),
            email: faults.check("email", email(&self.email)).unwrap_or_default(),
            first_name: faults.check("first_name", clean(&self.first_name, 150)).unwrap_or_default(),
            last_name: faults.check("last_name", clean(&self.last_name, 150)).unwrap_or_default(),
            phone_no: faults.check("phone_no", phone_no(&self.phone_no)).unwrap_or_default(),
            tenant_name: tenant_name.to_owned(),
        }
    }
}

/// A username has 3 to 150 letters, digits and `. _ + -`; no `@`, so that it is never taken for an e-mail.
pub(crate) fn username(text: &str) -> Result<String, String> {
    let text = required(text, 150)?;
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '+' | '-');
    if text.chars().count() < 3 {
        return Err("Ensure this field has at least 3 characters.".to_owned());
    }
    if text.chars().all(fits) {
        Ok(text)
    } else {
        Err("Enter a username of letters, digits and . _ + - only.".to_owned())
    }
}

/// An address that the mail library accepts, of at most 254 characters.
pub(crate) fn email(text: &str) -> Result<String, String> {
    let text = required(text, 254)?;
    let dotted = text.rsplit_once('@').is_some_and(|(_, domain)| domain.contains('.'));
    match text.parse::<lettre::Address>() {
        Ok(_) if dotted => Ok(text),
        _ => Err("Enter a valid email address.".to_owned()),
    }
}

/// A phone number in E.164 form; ten digits without a prefix are taken for an Indian number.
pub(crate) fn phone_no(text: &str) -> Result<String, String> {
    let text = clean(text, 20)?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if text.is_empty() {
        return Ok(text);
    }
    if text.len() == 10 && digits(&text) {
        return Ok(format!("+91{text}"));
    }
    match text.strip_prefix('+') {
        Some(rest) if (8..=15).contains(&rest.len()) && digits(rest) && !rest.starts_with('0') => Ok(text),
        _ => Err("Enter a phone number in E.164 form, such as +919876543210.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn en_09_case_width_and_space_variants_compare_equal() {
        for variant in ["ANNA@Example.com", " anna@example.com ", "ａｎｎａ@example.com"] {
            assert_eq!(compared(variant), "anna@example.com");
        }
        assert_eq!(compared("STRASSE"), compared("Straße"));
    }

    #[test]
    fn a_username_holds_no_at_sign_and_ten_digits_are_an_indian_number() {
        assert!(username("a@b.c").is_err());
        assert!(username("ab").is_err());
        assert_eq!(username(" रवि_99 ".trim()).is_ok(), username("रवि_99").is_ok());
        assert_eq!(phone_no("9876543210").unwrap(), "+919876543210");
        assert!(phone_no("12345").is_err());
    }

    #[test]
    fn an_address_needs_a_dotted_domain_and_no_line_break() {
        assert!(email("a@b.co").is_ok());
        for bad in ["a@b", "a b@c.de", "a@b.co\r\nBcc: x@y.zz", "@b.co", ""] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
    }
}
