use serde_json::Value;

use super::Mail;
use crate::domain::challenges::Dispatch;

/// The mail of a one-time code.
pub(crate) fn code(dispatch: &Dispatch) -> Mail {
    let (subject, why) = match dispatch.purpose.as_str() {
        "LOGIN" => ("Your SongList sign-in code", "Somebody, hopefully you, signs in to SongList with your password."),
        "RESET" => ("Your SongList password reset code", "Somebody, hopefully you, asked for a new SongList password."),
        _ => ("Your SongList verification code", "Please prove that this address is yours to use SongList with it."),
    };
    let minutes = dispatch.ttl.as_secs().div_ceil(60);
    let text = format!(
        "{why}\n\nYour code: {}\n\nIt is good for {minutes} minutes and for one use. If this was not you, please ignore this mail; \
         never give the code to anybody.\n",
        dispatch.code.expose()
    );
    Mail { to: dispatch.email.clone(), subject: subject.to_owned(), text }
}

/// The mail of a notice by the name of its template; `None` when there is no such template.
pub(crate) fn notice(template: &str, to: String, params: &Value, frontend: &str) -> Option<Mail> {
    let param = |name: &str| params.get(name).and_then(Value::as_str).unwrap_or_default();
    let (subject, text) = match template {
        "account_exists" => (
            "You already have a SongList account",
            format!(
                "Somebody, maybe you, tried to register at SongList with this address. You have an account already: sign in at \
                 {frontend}, or ask there for a new password.\n"
            ),
        ),
        "password_changed" => (
            "Your SongList password was changed",
            "Your password was changed and every session was ended. If this was not you, please ask for a new password at once \
             and tell your administrator.\n"
                .to_owned(),
        ),
        "token_reused" => (
            "A SongList session was ended",
            "Somebody used a sign-in of yours that was already replaced, so we ended it. If this happens again, please change \
             your password; other devices stay signed in.\n"
                .to_owned(),
        ),
        "request_fulfilled" => (
            "Your song request was fulfilled",
            format!("\"{}\" by {} is on the list now: {frontend}\n", harmless(param("title")), harmless(param("artist"))),
        ),
        _ => return None,
    };
    Some(Mail { to, subject: subject.to_owned(), text })
}

/// A text of a user for a mail in our name: short, and nothing in it becomes a link.
fn harmless(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().map(|word| if looks_like_link(word) { "…" } else { word }).collect();
    let text = words.join(" ");
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// True for addresses and for what mail programs make a link of: a name with a dot before two letters.
fn looks_like_link(word: &str) -> bool {
    let domain = word.split('.').skip(1).any(|part| part.chars().take_while(char::is_ascii_alphabetic).count() >= 2);
    word.contains("://") || word.contains('@') || domain
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn sf_07_a_title_in_a_mail_is_short_and_no_link() {
        assert_eq!(harmless("sign in at https://evil.example/ now"), "sign in at … now");
        assert_eq!(harmless("T.N.T."), "T.N.T.");
        assert_eq!(harmless("write to root@evil or evil.example"), "write to … or …");
        assert_eq!(harmless(&"x".repeat(100)).chars().count(), 61);
    }
}
