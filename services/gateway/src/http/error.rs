//! How an error is written to a client: status, headers and body. Which status a kind has is decided in `kit::Kind::http`.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder};
use kit::{Error, Kind};
use serde_json::{Map, Value, json};

/// An error with the status and headers it is answered with.
#[derive(Debug)]
pub(crate) struct HttpError {
    pub status: StatusCode,
    pub error: Error,
    headers: Vec<(HeaderName, String)>,
}

/// How a client wants its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Envelope,
    /// RFC 9457.
    Problem,
}

impl Style {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let accept = headers.get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
        if accept.contains("application/problem+json") { Self::Problem } else { Self::Envelope }
    }
}

impl From<Error> for HttpError {
    fn from(error: Error) -> Self {
        let status = StatusCode::from_u16(error.kind().http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut headers = Vec::new();
        if status == StatusCode::UNAUTHORIZED {
            headers.push((WWW_AUTHENTICATE, "Bearer".to_owned()));
        }
        let delay = error
            .retry_delay()
            .or_else(|| (status == StatusCode::SERVICE_UNAVAILABLE).then_some(Duration::from_secs(1)));
        if let Some(delay) = delay {
            headers.push((RETRY_AFTER, whole_seconds(delay).to_string()));
        }
        Self { status, error, headers }
    }
}

fn whole_seconds(delay: Duration) -> u64 {
    delay.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX).max(1)
}

impl From<tonic::Status> for HttpError {
    fn from(status: tonic::Status) -> Self {
        Error::from(status).into()
    }
}

impl HttpError {
    fn of(status: StatusCode, kind: Kind, code: &'static str, text: &'static str) -> Self {
        Self { status, error: Error::new(kind, code, text), headers: Vec::new() }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn route_not_found() -> Self {
        Self::of(StatusCode::NOT_FOUND, Kind::NotFound, "not_found", "Not found.")
    }

    pub(crate) fn method_not_allowed(allowed: &str) -> Self {
        let text = "This method is not allowed here.";
        Self::of(StatusCode::METHOD_NOT_ALLOWED, Kind::Invalid, "method_not_allowed", text).with(ALLOW, allowed)
    }

    pub(crate) fn too_large() -> Self {
        Self::of(StatusCode::PAYLOAD_TOO_LARGE, Kind::Invalid, "payload_too_large", "The body is too large.")
    }

    pub(crate) fn not_json() -> Self {
        let text = "Send the body as application/json in UTF-8.";
        Self::of(StatusCode::UNSUPPORTED_MEDIA_TYPE, Kind::Invalid, "unsupported_media_type", text)
    }

    pub(crate) fn malformed_json() -> Self {
        Self::of(StatusCode::BAD_REQUEST, Kind::Invalid, "malformed_json", "The body is not well-formed JSON.")
    }

    pub(crate) fn not_authenticated() -> Self {
        Error::new(Kind::Unauthenticated, "not_authenticated", "Please sign in.").into()
    }

    /// A token was sent and not taken.
    pub(crate) fn token_not_valid() -> Self {
        let text = "The token is not valid or has expired.";
        let error = Error::new(Kind::Unauthenticated, "token_not_valid", text);
        Self { status: StatusCode::UNAUTHORIZED, error, headers: Vec::new() }
            .with(WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#)
    }

    pub(crate) fn rate_limited(wait: Duration) -> Self {
        let seconds = whole_seconds(wait);
        let error =
            Error::new(Kind::RateLimited, "rate_limited", "Too many requests. Please slow down.").retry_after(wait);
        Self::from(error)
            .with(HeaderName::from_static("ratelimit"), format!("\"default\";r=0;t={seconds}"))
            .with(HeaderName::from_static("ratelimit-policy"), "\"default\";w=60")
    }

    /// The answer, in the style the client wants.
    pub(crate) fn respond(&self, style: Style, request_id: &str) -> HttpResponse {
        let mut builder = HttpResponseBuilder::new(self.status);
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                builder.insert_header((name.clone(), value));
            }
        }
        let (body, content_type) = match style {
            Style::Envelope => (self.envelope(request_id), "application/json"),
            Style::Problem => (self.problem(request_id), "application/problem+json"),
        };
        builder.insert_header((CONTENT_TYPE, content_type)).body(body.to_string())
    }

    fn fields(&self) -> Option<Value> {
        let mut fields: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, text) in self.error.fields() {
            fields.entry(name).or_default().push(text);
        }
        (!fields.is_empty()).then(|| json!(fields))
    }

    /// Facts such as the id of the row that is in the way.
    fn details(&self) -> Option<Value> {
        let details: Map<String, Value> = self.error.details().iter().map(|(k, v)| (k.clone(), json!(v))).collect();
        (!details.is_empty()).then_some(Value::Object(details))
    }

    fn envelope(&self, request_id: &str) -> Value {
        let mut body = json!({
            "status": "error",
            "code": self.error.code(),
            "message": self.error.public(),
            "request_id": request_id,
        });
        self.add_facts(&mut body);
        body
    }

    fn problem(&self, request_id: &str) -> Value {
        let mut body = json!({
            "type": format!("urn:songlist:error:{}", self.error.code()),
            "title": self.error.public(),
            "status": self.status.as_u16(),
            "code": self.error.code(),
            "instance": format!("urn:request:{request_id}"),
        });
        self.add_facts(&mut body);
        body
    }

    fn add_facts(&self, body: &mut Value) {
        let Some(object) = body.as_object_mut() else { return };
        if let Some(fields) = self.fields() {
            object.insert("errors".to_owned(), fields);
        }
        if let Some(details) = self.details() {
            object.insert("details".to_owned(), details);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_status_and_says_when_to_come_back() {
        let table = [
            (Kind::Invalid, 400),
            (Kind::Unauthenticated, 401),
            (Kind::Forbidden, 403),
            (Kind::NotFound, 404),
            (Kind::Conflict, 409),
            (Kind::Precondition, 409),
            (Kind::InProgress, 409),
            (Kind::RateLimited, 429),
            (Kind::Stale, 412),
            (Kind::KeyReused, 422),
            (Kind::Unavailable, 503),
            (Kind::Timeout, 503),
            (Kind::Internal, 500),
        ];
        assert_eq!(table.len(), Kind::ALL.len());
        for (kind, status) in table {
            let answer = HttpError::from(Error::new(kind, "x", "y")).respond(Style::Envelope, "r");
            assert_eq!(answer.status().as_u16(), status, "{kind:?}");
            assert_eq!(answer.headers().contains_key(RETRY_AFTER), status == 503, "{kind:?}");
            assert_eq!(answer.headers().contains_key(WWW_AUTHENTICATE), status == 401, "{kind:?}");
        }
    }

    #[test]
    fn hd_05_the_source_of_an_error_is_in_neither_style() {
        let error = HttpError::from(Error::internal(anyhow::anyhow!("relation users does not exist")));
        for body in [error.envelope("r"), error.problem("r")] {
            assert!(!body.to_string().contains("users"), "{body}");
        }
    }
}
