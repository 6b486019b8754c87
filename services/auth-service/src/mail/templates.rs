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
        "request_fulfilled" => (
            "Your song request was fulfilled",
            format!("\"{}\" by {} is on the list now: {frontend}\n", param("title"), param("artist")),
        ),
        _ => return None,
    };
    Some(Mail { to, subject: subject.to_owned(), text })
}
