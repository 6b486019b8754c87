//! How an error is sent to a client: status, headers and body. Which status an error has is decided in
//! `kit/src/status.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::{HttpResponse, HttpResponseBuilder};
use kit::error::RatePolicy;
use kit::{Code, Error};
use kit_redis::{Limit, Wait};
use serde_json::{Map, Value, json};

/// An error with the status and the headers of its answer.
#[derive(Debug)]
pub(crate) struct HttpError {
    pub status: StatusCode,
    pub error: Error,
    headers: Vec<(HeaderName, String)>,
}

/// The format in which a client wants errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Envelope,
    /// Problem details (RFC 9457).
    Problem,
}

impl Style {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let accept = headers.get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (mut problem, mut json) = (0.0, 0.0);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            match kind {
                "application/problem+json" => problem = quality,
                "application/json" => json = quality,
                _ => {}
            }
        }
        if problem > 0.0 && problem >= json { Self::Problem } else { Self::Envelope }
    }
}

impl From<Error> for HttpError {
    fn from(error: Error) -> Self {
        let status = StatusCode::from_u16(error.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut headers = Vec::new();
        if status == StatusCode::UNAUTHORIZED {
            // RFC 6750: the reason follows the scheme only when a token was sent.
            let refused = error.code() == Code::TokenNotValid;
            let challenge = if refused { r#"Bearer error="invalid_token""# } else { "Bearer" };
            headers.push((WWW_AUTHENTICATE, challenge.to_owned()));
        }
        let delay = error
            .retry_delay()
            .or_else(|| (status == StatusCode::SERVICE_UNAVAILABLE).then_some(Duration::from_secs(1)));
        if let Some(delay) = delay {
            headers.push((RETRY_AFTER, whole_seconds(delay).to_string()));
            headers.extend(rate_limit(error.rate_policies(), delay));
        }
        Self { status, error, headers }
    }
}

/// The headers `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers) of a request that was refused.
fn rate_limit(policies: &[RatePolicy], wait: Duration) -> Vec<(HeaderName, String)> {
    let Some(first) = policies.first() else { return Vec::new() };
    let state = format!("\"{}\";r=0;t={}", first.name, whole_seconds(wait));
    let policy = |policy: &RatePolicy| format!("\"{}\";q={};w={}", policy.name, policy.quota, policy.window.as_secs());
    let policies: Vec<String> = policies.iter().map(policy).collect();
    vec![
        (HeaderName::from_static("ratelimit"), state),
        (HeaderName::from_static("ratelimit-policy"), policies.join(", ")),
    ]
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
    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn route_not_found() -> Self {
        Error::not_found().into()
    }

    pub(crate) fn method_not_allowed(allowed: &str) -> Self {
        Self::from(Error::new(Code::MethodNotAllowed)).with(ALLOW, allowed)
    }

    pub(crate) fn too_large() -> Self {
        Error::new(Code::PayloadTooLarge).into()
    }

    pub(crate) fn not_json() -> Self {
        Error::new(Code::UnsupportedMediaType).into()
    }

    /// A body of another type than one of these.
    pub(crate) fn unsupported_media_type(kinds: &[&str]) -> Self {
        Error::new(Code::UnsupportedMediaType).message(format!("Send one of {}.", kinds.join(", "))).into()
    }

    pub(crate) fn malformed_json() -> Self {
        Error::new(Code::MalformedJson).into()
    }

    pub(crate) fn not_authenticated() -> Self {
        Error::new(Code::NotAuthenticated).into()
    }

    /// A token was sent and refused.
    pub(crate) fn token_not_valid() -> Self {
        Error::new(Code::TokenNotValid).into()
    }

    /// A request beyond one of these limits. The policies are those of the route, whoever the client is.
    pub(crate) fn rate_limited(wait: Wait, limits: &[Limit]) -> Self {
        let policy = |limit: &Limit| RatePolicy {
            name: limit.key.split(':').nth(1).unwrap_or("default").to_owned(),
            quota: limit.burst,
            window: limit.per,
        };
        let limits = limits.iter().cycle().skip(wait.by).take(limits.len());
        Error::new(Code::RateLimited).retry_after(wait.time).limited_by(limits.map(policy)).into()
    }

    /// A body that did not arrive in time.
    pub(crate) fn too_slow() -> Self {
        Error::new(Code::BodyTooSlow).into()
    }

    /// The answer, in the format that the client wants.
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
        builder.insert_header((CACHE_CONTROL, "no-store"));
        builder.insert_header((CONTENT_TYPE, content_type)).body(body.to_string())
    }

    fn fields(&self) -> Option<Value> {
        let mut fields: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, text) in self.error.fields() {
            fields.entry(name).or_default().push(text);
        }
        (!fields.is_empty()).then(|| json!(fields))
    }

    /// Facts such as the id of the row that conflicts.
    fn details(&self) -> Option<Value> {
        let details: Map<String, Value> = self.error.details().iter().map(|(k, v)| (k.clone(), json!(v))).collect();
        (!details.is_empty()).then_some(Value::Object(details))
    }

    fn envelope(&self, request_id: &str) -> Value {
        let mut body = json!({
            "status": "error",
            "code": self.error.code().name(),
            "message": self.error.public(),
            "request_id": request_id,
        });
        self.add_facts(&mut body);
        body
    }

    fn problem(&self, request_id: &str) -> Value {
        let mut body = json!({
            "type": format!("urn:songlist:error:{}", self.error.code().name()),
            "title": self.error.public(),
            "status": self.status.as_u16(),
            "code": self.error.code().name(),
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
    use kit::Kind;

    use super::*;

    #[test]
    fn every_code_has_the_status_of_its_kind_and_says_when_to_come_back() {
        let status = |code: Code| match code.kind() {
            Kind::Invalid if code == Code::MethodNotAllowed => 405,
            Kind::Invalid if code == Code::PayloadTooLarge => 413,
            Kind::Invalid if code == Code::UnsupportedMediaType => 415,
            Kind::Invalid => 400,
            Kind::Unauthenticated => 401,
            Kind::Forbidden => 403,
            Kind::NotFound => 404,
            Kind::Conflict | Kind::Precondition | Kind::InProgress => 409,
            Kind::Stale if code == Code::PreconditionRequired => 428,
            Kind::Stale => 412,
            Kind::KeyReused => 422,
            Kind::RateLimited => 429,
            Kind::Internal => 500,
            Kind::Unavailable | Kind::Timeout => 503,
        };
        for code in Code::ALL {
            let status = status(*code);
            let answer = HttpError::from(Error::new(*code)).respond(Style::Envelope, "r");
            assert_eq!(answer.status().as_u16(), status, "{code:?}");
            assert_eq!(answer.headers().contains_key(RETRY_AFTER), status == 503, "{code:?}");
            assert_eq!(answer.headers().contains_key(WWW_AUTHENTICATE), status == 401, "{code:?}");
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
