use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use kit::caller::Caller;
use kit::{Error, Kind};
use proto::tonic::{Request, Response};
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::http::auth;
use crate::http::error::HttpError;
use crate::http::reply::Reply;
use crate::http::rule::Rule;

/// What one request may take in all.
const BUDGET: Duration = Duration::from_secs(2);

/// What a handler answers.
pub(crate) type Answered = Result<Reply, HttpError>;

/// A handler, as the policy table names it.
pub(crate) type Handler = fn(Cx) -> Pin<Box<dyn Future<Output = Answered>>>;

/// Names an async function as a [`Handler`].
macro_rules! handler {
    ($path:path) => {
        |cx| Box::pin($path(cx))
    };
}
pub(crate) use handler;

/// What a handler gets: the verified caller and a request that passed every check of its rule.
pub(crate) struct Cx {
    pub app: App,
    pub rule: &'static Rule,
    pub caller: Caller,
    pub request: HttpRequest,
    pub query: Vec<(String, String)>,
    pub body: Bytes,
    /// The unread body of an upload.
    pub payload: RefCell<Payload>,
}

impl Cx {
    /// A part of the path.
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

    /// A message for a service, with the caller and the request's time budget.
    pub(crate) fn ask<T>(&self, message: T) -> Request<T> {
        kit::grpc::call(&self.caller, BUDGET, message)
    }

    /// The body as a type; a field of a wrong type is a fault of that field.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        serde_path_to_error::deserialize(&mut reader).map_err(|fault| {
            let path = fault.path().to_string();
            let field = if path == "." { "non_field_errors" } else { &path };
            Error::invalid(field, sentence(fault.inner())).into()
        })
    }

    /// The body, where the path names an object: a body that does not fit is told only to those who may see the object, so
    /// `visible` is asked first.
    pub(crate) async fn json_of_object<T, V>(
        &self,
        visible: impl Future<Output = Result<Response<V>, tonic::Status>>,
    ) -> Result<T, HttpError>
    where
        T: DeserializeOwned,
    {
        match self.json() {
            Ok(body) => Ok(body),
            Err(fault) => {
                visible.await?;
                Err(fault)
            }
        }
    }

    /// The values of a query parameter.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.query
            .iter()
            .filter(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.clone())
            .collect()
    }

    /// The last value of a query parameter.
    pub(crate) fn one(&self, name: &str) -> Option<String> {
        self.all(name).pop()
    }

    /// A truth value of the query.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, HttpError> {
        match self.one(name).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Error::invalid(name, "Say true or false.").into()),
        }
    }

    /// Charges the account that a sign-in is about, known or not.
    pub(crate) async fn charge_account(&self, tenant: &str, identifier: &str) -> Result<(), HttpError> {
        let limit = self.rule.rate.account_limit(tenant, identifier, self.app.config.rate_factor);
        auth::charge(&self.app, &[limit]).await
    }
}

/// What serde says of a value, without the place in the text.
fn sentence(fault: &serde_json::Error) -> String {
    let text = fault.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    if text.starts_with("missing field") {
        return format!("{} is required.", text.trim_start_matches("missing field ").replace('`', "\""));
    }
    format!("Not valid: {text}.")
}

/// Refuses a value that needs another one beside it.
pub(crate) fn required<T>(field: &str, value: Option<T>) -> Result<T, HttpError> {
    value.ok_or_else(|| {
        Error::new(Kind::Invalid, "validation_error", "Validation failed.")
            .field(field, "This field is required.")
            .into()
    })
}
