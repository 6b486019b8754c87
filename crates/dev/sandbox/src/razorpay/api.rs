//! How requests to the API are admitted and refused.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::chaos::{Failure, FailureBody};
use super::store::Razorpay;

/// The most items of a list.
const LONGEST: usize = 100;

pub(super) fn refused(status: u16, description: &str) -> Response {
    coded(status, "BAD_REQUEST_ERROR", description)
}

pub(super) fn unknown_id() -> Response {
    refused(400, "The id provided does not exist")
}

/// An error as the payment-links service writes it: `metadata` is an array there.
fn coded(status: u16, code: &str, description: &str) -> Response {
    let body = json!({ "error": { "code": code, "description": description, "metadata": [], "reason": null, "source": null,
                                  "step": null } });
    (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), Json(body)).into_response()
}

/// The account may make no more links.
pub(super) fn over_quota() -> Response {
    coded(429, "RATE_LIMIT_EXCEEDED", "Payment link creation limit exceeded for test mode")
}

/// Admits a request with the right key, after it has waited for as long as a test wants. It is answered with a planned failure
/// when there is one, which may have taken effect.
pub(super) async fn admitted(State(razorpay): State<Razorpay>, request: Request, next: Next) -> Response {
    while razorpay.state().chaos.hold_api {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    if let Some(refusal) = wrong_key(&razorpay, &request) {
        return refusal;
    }
    razorpay.expire();
    let asked = format!("{} {}", request.method(), request.uri().path());
    let failure = {
        let mut state = razorpay.state();
        state.calls += 1;
        state.chaos.failure_of(&asked)
    };
    match failure {
        None => next.run(request).await,
        Some(failure) => {
            if failure.commit {
                next.run(request).await;
            }
            failed(&failure)
        }
    }
}

/// The scheme word must be exactly `Basic`, and the key one for tests.
fn wrong_key(razorpay: &Razorpay, request: &Request) -> Option<Response> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let pair = header
        .strip_prefix("Basic ")
        .and_then(|text| STANDARD.decode(text).ok())
        .and_then(|b| String::from_utf8(b).ok());
    let expected = format!("{}:{}", razorpay.options.key_id, razorpay.options.key_secret);
    match pair {
        None => Some(refused(401, "Authentication failed")),
        Some(pair) if pair != expected || !pair.starts_with("rzp_test_") => {
            Some(refused(401, "The api key provided is invalid"))
        }
        Some(_) => None,
    }
}

fn failed(failure: &Failure) -> Response {
    let usual = if failure.status >= 500 { "SERVER_ERROR" } else { "BAD_REQUEST_ERROR" };
    let code = failure.code.as_deref().unwrap_or(usual);
    let mut answer = coded(failure.status, code, "Something went wrong");
    let (content_type, body) = match failure.body {
        FailureBody::Error => ("", ""),
        FailureBody::Html => ("text/html", "<html><body><h1>502 Bad Gateway</h1></body></html>"),
        FailureBody::Truncated => ("application/json", r#"{"id":"plink_"#),
        FailureBody::Empty => ("application/json", ""),
    };
    if !content_type.is_empty() {
        *answer.body_mut() = Body::from(body);
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    if let Some(seconds) = failure.retry_after {
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

/// Which part of a list is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Paging {
    from: Option<i64>,
    to: Option<i64>,
    count: Option<usize>,
    skip: Option<usize>,
}

impl Paging {
    /// The items of a list that are asked for, each with the time of its creation.
    ///
    /// # Errors
    /// Razorpay's 400 when `count` is too large.
    #[expect(clippy::result_large_err, reason = "a refusal is the answer itself")]
    pub(super) fn of(&self, items: Vec<(i64, Value)>) -> Result<Vec<Value>, Response> {
        let count = self.count.unwrap_or(10);
        if count > LONGEST {
            return Err(refused(400, "The count may not be greater than 100."));
        }
        let within = |at: &i64| self.from.is_none_or(|from| *at >= from) && self.to.is_none_or(|to| *at <= to);
        let wanted = items.into_iter().filter(|(at, _)| within(at)).map(|(_, item)| item);
        Ok(wanted.skip(self.skip.unwrap_or(0)).take(count).collect())
    }

    /// They as a collection, the usual form of a list.
    pub(super) fn collection(&self, items: Vec<(i64, Value)>) -> Response {
        self.of(items).map_or_else(|refusal| refusal, |items| collection(&items))
    }
}

pub(super) fn collection(items: &[Value]) -> Response {
    Json(json!({ "entity": "collection", "count": items.len(), "items": items })).into_response()
}
