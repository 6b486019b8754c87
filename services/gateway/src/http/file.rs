//! Files of whole lists: read page by page while they are sent, so that neither a long list nor a slow client takes memory.

use std::future::Future;

use actix_web::http::header::HeaderValue;
use actix_web::web::Bytes;
use futures_util::stream::try_unfold;
use kit::Error;

use crate::http::context::{HandlerResult, RequestContext};
use crate::http::error::HttpError;
use crate::http::reply::Reply;

/// Rows that are read at once.
pub(crate) const PAGE: u32 = 100;

/// What one page of the list adds to the file.
pub(crate) struct Part {
    pub bytes: Vec<u8>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<String>,
}

/// A format of a file.
pub(crate) struct Format {
    /// The value of the parameter `format`, and the end of the file's name.
    pub name: &'static str,
    pub content_type: &'static str,
}

/// The format that a request asks for; the first one when it does not say.
pub(crate) fn format(context: &RequestContext, formats: &'static [Format]) -> Result<&'static Format, HttpError> {
    let wanted = context.query_value("format");
    let found = formats.iter().find(|format| wanted.as_deref().is_none_or(|name| name == format.name));
    Ok(found.ok_or_else(|| Error::invalid("format", "There is no such format."))?)
}

/// Sends the parts that `read` makes, each from where the one before has ended. The first one is read before the answer
/// begins, so that an error has a status of its own; a later one breaks the connection off.
pub(crate) async fn send<F, Fut>(format: &Format, name: &str, read: F) -> HandlerResult
where
    F: Fn(String) -> Fut + 'static,
    Fut: Future<Output = Result<Part, HttpError>> + 'static,
{
    let first = read(String::new()).await?;
    let parts = try_unfold((Some(Step::Read(first)), read), |(step, read)| async move {
        let part = match step {
            None => return Ok::<_, Error>(None),
            Some(Step::Read(part)) => part,
            Some(Step::Next(after)) => read(after).await.map_err(|refused| refused.error)?,
        };
        Ok(Some((Bytes::from(part.bytes), (part.next.map(Step::Next), read))))
    });
    let name = HeaderValue::from_str(&format!("attachment; filename=\"{name}.{}\"", format.name));
    Ok(Reply::stream(format.content_type, parts).header("content-disposition", name.map_err(Error::internal)?))
}

/// What is sent next.
enum Step {
    Read(Part),
    Next(String),
}
