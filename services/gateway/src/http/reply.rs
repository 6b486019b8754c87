use std::fmt;
use std::pin::Pin;

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, LOCATION,
};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::Stream;
use kit::Error;
use prost_types::Timestamp;
use proto::prost_types;
use ring::digest::{SHA256, digest};
use serde::Serialize;

use crate::http::error::HttpError;

/// An answer: status, body and additional headers.
#[derive(Debug)]
pub(crate) struct Reply {
    status: u16,
    content_type: &'static str,
    body: Body,
    headers: Vec<(HeaderName, HeaderValue)>,
}

enum Body {
    Whole(Vec<u8>),
    Stream(Pin<Box<dyn Stream<Item = Result<Bytes, Error>>>>),
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Stream(_) => f.write_str("a stream"),
        }
    }
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    status: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a T>,
}

impl Reply {
    /// A JSON document without an envelope.
    pub(crate) fn json<T: Serialize>(status: u16, body: &T) -> Result<Self, HttpError> {
        let body = serde_json::to_vec(body).map_err(Error::internal)?;
        Ok(Self { status, content_type: "application/json", body: Body::Whole(body), headers: Vec::new() })
    }

    /// The success envelope with data.
    pub(crate) fn data<T: Serialize>(status: u16, message: &str, data: &T) -> Result<Self, HttpError> {
        Self::json(status, &Envelope { status: "success", message, data: Some(data) })
    }

    /// The success envelope without data.
    pub(crate) fn done(message: &str) -> Result<Self, HttpError> {
        Self::json(200, &Envelope::<()> { status: "success", message, data: None })
    }

    /// 204 without a body.
    pub(crate) fn no_content() -> Self {
        Self { status: 204, content_type: "", body: Body::Whole(Vec::new()), headers: Vec::new() }
    }

    /// A body that is not JSON.
    pub(crate) fn other(content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status: 200, content_type, body: Body::Whole(body), headers: Vec::new() }
    }

    /// A body that is not JSON and is made while it is sent; an error breaks the connection off.
    pub(crate) fn stream(
        content_type: &'static str,
        parts: impl Stream<Item = Result<Bytes, Error>> + 'static,
    ) -> Self {
        Self { status: 200, content_type, body: Body::Stream(Box::pin(parts)), headers: Vec::new() }
    }

    /// One object with a strong ETag, made from its version and a hash of its data; 304 when the client has it already.
    pub(crate) fn object<T: Serialize>(message: &str, version: i64, data: &T) -> Result<Self, HttpError> {
        Self::data(200, message, data)?.versioned(version, data)
    }

    /// 201 for a new object, whose place is below the path of its list.
    pub(crate) fn created<T: Serialize>(list: &str, message: &str, id: &str, data: &T) -> Result<Self, HttpError> {
        let path = list.trim_end_matches('/');
        let location = HeaderValue::from_str(&format!("{path}/{id}/")).map_err(Error::internal)?;
        Ok(Self::data(201, message, data)?.header(LOCATION.as_str(), location))
    }

    /// Adds the ETag of an object.
    pub(crate) fn versioned<T: Serialize>(self, version: i64, data: &T) -> Result<Self, HttpError> {
        let bytes = serde_json::to_vec(data).map_err(Error::internal)?;
        let hash = hex::encode(digest(&SHA256, &bytes).as_ref().get(..8).unwrap_or_default());
        let etag = HeaderValue::from_str(&format!("\"{version}-{hash}\"")).map_err(Error::internal)?;
        Ok(self.header(ETAG.as_str(), etag))
    }

    /// True when `If-None-Match` names the ETag of this reply.
    fn is_known(&self, request: &HeaderMap) -> bool {
        let Some((_, etag)) = self.headers.iter().find(|(name, _)| *name == ETAG) else { return false };
        let known = request.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
        known.split(',').map(str::trim).any(|tag| {
            // RFC 9110 compares weakly here: a proxy may have made the tag weak.
            tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes()
        })
    }

    /// Adds a header; `name` is in lower case.
    pub(crate) fn header(mut self, name: &str, value: HeaderValue) -> Self {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            self.headers.push((name, value));
        }
        self
    }

    /// Sets `Idempotency-Replayed` when the owning service answered from an idempotency record.
    pub(crate) fn replayed_by<T>(self, response: &tonic::Response<T>) -> Self {
        self.replayed(response.metadata().contains_key(kit::grpc::REPLAYED))
    }

    fn replayed(self, replayed: bool) -> Self {
        if replayed { self.header("idempotency-replayed", HeaderValue::from_static("true")) } else { self }
    }

    /// The response to a request with this method and these headers. Only what reads an object can be answered with 304
    /// (RFC 9110, 13.1.2).
    pub(crate) fn respond(mut self, method: &Method, request: &HeaderMap) -> HttpResponse {
        if method.is_safe() && self.is_known(request) {
            self = Self { status: 304, body: Body::Whole(Vec::new()), ..self };
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut builder = HttpResponseBuilder::new(status);
        builder.insert_header((CACHE_CONTROL, "no-store"));
        for (name, value) in self.headers {
            builder.insert_header((name, value));
        }
        match self.body {
            Body::Whole(bytes) if bytes.is_empty() => builder.finish(),
            Body::Whole(bytes) => builder.insert_header((CONTENT_TYPE, self.content_type)).body(bytes),
            Body::Stream(parts) => builder.insert_header((CONTENT_TYPE, self.content_type)).streaming(parts),
        }
    }
}

/// A time in the form of the contract: RFC 3339, UTC, with microseconds.
pub(crate) fn time(at: Option<Timestamp>) -> String {
    opt_time(at).unwrap_or_default()
}

/// A time that may be missing.
pub(crate) fn opt_time(at: Option<Timestamp>) -> Option<String> {
    let at: DateTime<Utc> = proto::time::from_proto(at)?;
    Some(at.to_rfc3339_opts(SecondsFormat::Micros, true))
}
