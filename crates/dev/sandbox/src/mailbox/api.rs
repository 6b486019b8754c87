use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Mail, Mailbox, page};

pub(crate) fn router(mailbox: Mailbox) -> Router {
    Router::new()
        .route("/", get(async || Html(page::LIST)))
        .route("/mail/{id}", get(show))
        .route("/api/v1/messages", get(list).delete(delete))
        .route("/api/v1/search", get(search))
        .route("/api/v1/message/{id}", get(message))
        .with_state(mailbox)
}

#[derive(Deserialize)]
struct Window {
    #[serde(default)]
    start: usize,
    limit: Option<usize>,
    #[serde(default)]
    query: String,
}

async fn list(State(mailbox): State<Mailbox>, Query(window): Query<Window>) -> Json<Value> {
    Json(listing(&mailbox, &mailbox.find(|_| true), &window))
}

async fn search(State(mailbox): State<Mailbox>, Query(window): Query<Window>) -> Json<Value> {
    let words: Vec<String> =
        window.query.split_whitespace().map(|word| word.trim_matches('"').to_lowercase()).collect();
    let found = mailbox.find(|mail| words.iter().all(|word| matches(mail, word)));
    Json(listing(&mailbox, &found, &window))
}

fn matches(mail: &Mail, word: &str) -> bool {
    let holds = |text: &str, part: &str| text.to_lowercase().contains(part);
    match word.split_once(':') {
        Some(("to", address)) => mail.to.iter().any(|to| to.contains(address)),
        Some(("from", address)) => holds(&mail.from, address),
        Some(("subject", text)) => holds(&mail.subject, text),
        _ => holds(&mail.subject, word) || holds(&mail.text, word),
    }
}

fn listing(mailbox: &Mailbox, found: &[Mail], window: &Window) -> Value {
    let total = mailbox.find(|_| true).len();
    let rows: Vec<Value> = found.iter().skip(window.start).take(window.limit.unwrap_or(50)).map(summary).collect();
    json!({
        "total": total, "unread": total, "count": rows.len(), "messages_count": found.len(),
        "start": window.start, "tags": [], "messages": rows,
    })
}

fn address(text: &str) -> Value {
    json!({ "Name": "", "Address": text })
}

fn summary(mail: &Mail) -> Value {
    let to: Vec<Value> = mail.to.iter().map(|to| address(to)).collect();
    let snippet: String = mail.text.chars().take(200).collect();
    json!({
        "ID": mail.id, "MessageID": mail.message_id, "Read": false, "From": address(&mail.from), "To": to,
        "Cc": [], "Bcc": [], "ReplyTo": [], "Subject": mail.subject, "Created": mail.received_at.to_rfc3339(),
        "Tags": [], "Size": mail.size, "Attachments": 0, "Snippet": snippet,
    })
}

fn by_id(mailbox: &Mailbox, id: &str) -> Option<Mail> {
    let newest = id == "latest";
    mailbox.find(|mail| newest || mail.id == id).into_iter().next()
}

async fn message(State(mailbox): State<Mailbox>, Path(id): Path<String>) -> Response {
    let Some(mail) = by_id(&mailbox, &id) else { return (StatusCode::NOT_FOUND, "Message not found").into_response() };
    let to: Vec<Value> = mail.to.iter().map(|to| address(to)).collect();
    Json(json!({
        "ID": mail.id, "MessageID": mail.message_id, "From": address(&mail.from), "To": to, "Cc": [], "Bcc": [],
        "ReplyTo": [], "ReturnPath": mail.from, "Subject": mail.subject, "Date": mail.received_at.to_rfc3339(),
        "Tags": [], "Text": mail.text, "HTML": mail.html, "Size": mail.size, "Inline": [], "Attachments": [],
    }))
    .into_response()
}

#[derive(Default, Deserialize)]
struct Deletion {
    #[serde(default, rename = "IDs")]
    ids: Vec<String>,
}

async fn delete(State(mailbox): State<Mailbox>, body: Option<Json<Deletion>>) -> &'static str {
    let ids = body.unwrap_or_default().0.ids;
    mailbox.delete(|mail| ids.is_empty() || ids.contains(&mail.id));
    "ok"
}

async fn show(State(mailbox): State<Mailbox>, Path(id): Path<String>) -> Response {
    match by_id(&mailbox, &id) {
        Some(mail) => {
            // What a mail holds came from anybody.
            let policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'";
            ([("content-security-policy", policy)], Html(page::one(&mail))).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
