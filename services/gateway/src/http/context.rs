use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use chrono::{DateTime, Utc};
use kit::caller::Caller;
use kit::{Code, Error};
use proto::tonic::{Request, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::app::App;
use crate::http::error::HttpError;
use crate::http::json_body;
use crate::http::reply::Reply;

/// The time of one page that is read after the handler has returned.
const PAGE_BUDGET: Duration = Duration::from_secs(2);

/// The version of no object.
const NO_VERSION: i64 = -1;

/// The result of a handler.
pub(crate) type HandlerResult = Result<Reply, HttpError>;

/// A handler as a trait object, so that the rules of all routes have the same type.
pub(crate) trait Handler: Send + Sync {
    fn call(&self, context: RequestContext) -> Pin<Box<dyn Future<Output = HandlerResult>>>;
}

impl<F, Fut> Handler for F
where
    F: Fn(RequestContext) -> Fut + Send + Sync,
    Fut: Future<Output = HandlerResult> + 'static,
{
    fn call(&self, context: RequestContext) -> Pin<Box<dyn Future<Output = HandlerResult>>> {
        Box::pin(self(context))
    }
}

/// The input of a handler: the verified caller, and a request that has passed all checks of its rule.
pub(crate) struct RequestContext {
    pub app: App,
    pub caller: Caller,
    pub request: HttpRequest,
    pub query: Vec<(String, String)>,
    pub body: Bytes,
    /// The body of an upload, not yet read; at most `max_body` bytes of it may be read.
    pub payload: RefCell<Payload>,
    /// The largest body in bytes.
    pub max_body: usize,
    /// The time that the request may take in total.
    pub budget: Duration,
}

impl RequestContext {
    /// A parameter of the path.
    pub(crate) fn path(&self, name: &str) -> String {
        self.request.match_info().get(name).unwrap_or_default().to_owned()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// A gRPC request of a caller, for a page that is read after the handler has returned.
    pub(crate) fn page_request<T>(caller: &Caller, message: T) -> Request<T> {
        kit::grpc::call(caller, PAGE_BUDGET, message)
    }

    /// A gRPC request with the caller and the time that is left for this request.
    pub(crate) fn grpc_request<T>(&self, message: T) -> Request<T> {
        kit::grpc::call(&self.caller, self.budget, message)
    }

    /// Parses the body; a value of the wrong type is reported as a fault of its field.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        Ok(json_body::parse(&self.body)?)
    }

    /// Parses the body of a request whose path names an object. By the contract 404 comes before validation errors, so
    /// a fault of the body is reported only when `get`, the call that reads the object, succeeds.
    pub(crate) async fn json_of_object<T, V>(
        &self,
        get: impl Future<Output = Result<Response<V>, tonic::Status>>,
    ) -> Result<T, HttpError>
    where
        T: DeserializeOwned,
    {
        match self.json() {
            Ok(body) => Ok(body),
            Err(fault) => {
                get.await?;
                Err(fault)
            }
        }
    }

    /// The version that `If-Match` names; `None` when any will do. A tag that is none of ours matches no version. Only the
    /// version counts, so a tag that a proxy has made weak is as good.
    pub(crate) fn if_version(&self) -> Option<i64> {
        let tag = self.header("if-match").map(str::trim).filter(|tag| *tag != "*")?;
        let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
        Some(tag.split('-').next().and_then(|version| version.parse().ok()).unwrap_or(NO_VERSION))
    }

    /// Those fields of the body that may not be set, as texts: the owning service compares them with what they are.
    pub(crate) fn read_only(&self, names: &[&str]) -> HashMap<String, String> {
        let members: Map<String, Value> = serde_json::from_slice(&self.body).unwrap_or_default();
        let text = |value: Value| match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let known = members.into_iter().filter(|(name, _)| names.contains(&name.as_str()));
        known.map(|(name, value)| (name, text(value))).collect()
    }

    /// A query parameter that is a time.
    pub(crate) fn query_time(&self, name: &str) -> Option<DateTime<Utc>> {
        let text = self.query_value(name)?;
        DateTime::parse_from_rfc3339(&text).ok().map(|at| at.to_utc())
    }

    /// A query parameter that is a list of ids.
    pub(crate) fn query_ids(&self, name: &str) -> Vec<String> {
        let text = self.query_value(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect()
    }

    /// Every value of a query parameter.
    pub(crate) fn query_values(&self, name: &str) -> Vec<String> {
        self.query
            .iter()
            .filter(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.clone())
            .collect()
    }

    /// The last value of a query parameter.
    pub(crate) fn query_value(&self, name: &str) -> Option<String> {
        self.query_values(name).pop()
    }

    /// A boolean query parameter.
    pub(crate) fn query_flag(&self, name: &str) -> Result<Option<bool>, HttpError> {
        match self.query_value(name).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Error::invalid(name, "Say true or false.").into()),
        }
    }
}

/// For a field of a change: it may be missing, and then stays as it is, but not null.
pub(crate) fn not_null<'de, D, T>(value: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(value).map(Some)
}

/// For a field of a change that may be missing, and then stays as it is, or null, and then becomes empty.
pub(crate) fn nullable<'de, D, T>(value: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(value).map(Some)
}

/// Refuses a request that lacks a field.
pub(crate) fn required<T>(field: &str, value: Option<T>) -> Result<T, HttpError> {
    value.ok_or_else(|| Error::new(Code::ValidationError).field(field, "This field is required.").into())
}
