use actix_web::http::header::HeaderValue;
use kit::Error;
use kit::page::{DEFAULT_SIZE, MAX_SIZE};
use proto::common::{PageInfo, PageRequest};
use serde::Serialize;

use crate::http::context::{HandlerResult, RequestContext};
use crate::http::error::HttpError;
use crate::http::reply::Reply;

/// Which page a list request asks for.
#[derive(Clone, Debug)]
pub(crate) struct PageQuery {
    size: u32,
    position: Position,
}

#[derive(Clone, Debug)]
enum Position {
    Number(u32),
    Cursor { after: String, count: bool },
}

impl PageQuery {
    /// Reads `page`, `page_size`, `cursor` and `count`.
    pub(crate) fn of(context: &RequestContext) -> Result<Self, HttpError> {
        let size = positive(context, "page_size", DEFAULT_SIZE).min(MAX_SIZE);
        let cursor = context.query.iter().find(|(name, _)| name == "cursor").map(|(_, value)| value.clone());
        let position = match cursor {
            Some(after) => Position::Cursor { after, count: context.query_flag("count")?.unwrap_or(false) },
            None => Position::Number(positive(context, "page", 1)),
        };
        Ok(Self { size, position })
    }

    pub(crate) fn message(&self) -> Option<PageRequest> {
        Some(match &self.position {
            Position::Number(number) => PageRequest::numbered(*number, self.size),
            Position::Cursor { after, count } => PageRequest::after(after.clone(), *count, self.size),
        })
    }
}

fn positive(context: &RequestContext, name: &str, default: u32) -> u32 {
    let Some(text) = context.query_value(name) else { return default };
    // The query was checked: a number that does not fit is past the last page.
    text.parse::<u32>().unwrap_or(u32::MAX)
}

/// The envelope of a list. A numbered page has links to the next and the previous page, a page by cursor to the next
/// one.
#[derive(Serialize)]
struct Envelope<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<i64>,
    #[serde(flatten)]
    position: Neighbours,
    page_size: u32,
    next: Option<String>,
    data: T,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Neighbours {
    Number { page: u32, previous: Option<String> },
    Cursor { next_cursor: Option<String> },
}

/// A page of rows, with links to the next and previous pages built from the configured public URL.
pub(crate) fn page_reply<T: Serialize>(
    context: &RequestContext,
    query: &PageQuery,
    info: Option<PageInfo>,
    rows: Vec<T>,
) -> HandlerResult {
    let PageInfo { count, next_cursor } = info.unwrap_or_default();
    let (next, position) = match query.position {
        Position::Cursor { .. } => {
            let next = next_cursor.as_ref().map(|cursor| url_with(context, "cursor", cursor));
            (next, Neighbours::Cursor { next_cursor })
        }
        Position::Number(page) => {
            let count = count.ok_or_else(|| Error::internal(anyhow::anyhow!("a count is missing")))?;
            let more = i64::from(page) * i64::from(query.size) < count;
            let next = more.then(|| url_with(context, "page", &(page + 1).to_string()));
            let previous = (page > 1).then(|| url_with(context, "page", &(page - 1).to_string()));
            (next, Neighbours::Number { page, previous })
        }
    };
    let previous = match &position {
        Neighbours::Number { previous, .. } => previous.as_deref(),
        Neighbours::Cursor { .. } => None,
    };
    let (first, last) = match (&position, count) {
        (Neighbours::Number { .. }, Some(count)) => {
            let last = (count.max(1) - 1) / i64::from(query.size) + 1;
            (Some(url_with(context, "page", "1")), Some(url_with(context, "page", &last.to_string())))
        }
        _ => (None, None),
    };
    let link = link_header([
        ("next", next.as_deref()),
        ("prev", previous),
        ("first", first.as_deref()),
        ("last", last.as_deref()),
    ]);
    let mut reply = Reply::json(200, &Envelope { count, position, page_size: query.size, next, data: rows })?;
    if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
        reply = reply.header("link", link);
    }
    Ok(reply)
}

/// This request's URL with one parameter changed; the others are kept.
fn url_with(context: &RequestContext, name: &str, value: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (key, kept) in context.query.iter().filter(|(key, _)| key != name) {
        query.append_pair(key, kept);
    }
    query.append_pair(name, value);
    let path = context.request.path().trim_end_matches('/');
    format!("{}{path}/?{}", context.app.config.public_url, query.finish())
}

fn link_header(links: [(&str, Option<&str>); 4]) -> Option<String> {
    let parts: Vec<String> =
        links.iter().filter_map(|(rel, url)| url.map(|url| format!("<{url}>; rel=\"{rel}\""))).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
