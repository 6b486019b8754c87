//! The pages of the mailbox: a list that fills by itself, and one mail as its reader sees it.

use super::Mail;

/// The list; it reads the API.
pub(crate) const LIST: &str = include_str!("page.html");

/// One mail; one without HTML is shown as its text.
pub(crate) fn one(mail: &Mail) -> String {
    if mail.html.is_empty() {
        return format!(
            "<!doctype html><meta charset=utf-8><pre style=\"white-space:pre-wrap\">{}</pre>",
            escape(&mail.text)
        );
    }
    mail.html.clone()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
