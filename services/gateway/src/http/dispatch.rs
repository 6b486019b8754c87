//! The checks of a request, in the order of the contract: route, method, token, role, body, query. Then the handler is
//! called.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::Payload;
use actix_web::http::ConnectionType;
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use kit::leaving::Guard;
use kit::{Error, deadline};
use tracing::Instrument;

use crate::app::App;
use crate::http::context::{HandlerResult, RequestContext};
use crate::http::error::{HttpError, Style};
use crate::http::reply::Reply;
use crate::http::request_id::request_id;
use crate::http::rule::Rule;
use crate::http::{auth, body, query};

/// The rules of one path.
#[derive(Clone)]
pub(crate) struct Route {
    pub app: App,
    pub rules: Vec<&'static Rule>,
}

impl Route {
    /// Answers a request to this path.
    pub(crate) async fn handle(self, request: HttpRequest, payload: Payload) -> HttpResponse {
        let (started, mut under_way) = (Instant::now(), self.app.under_way.guard());
        let id = request_id(request.headers());
        let style = Style::of(request.headers());
        let rule = self.rules.iter().find(|rule| rule.method.serves(request.method()));
        let route = rule.map_or("-", |rule| rule.path);
        let (outcome, who) = match rule {
            Some(rule) => {
                let span = tracing::info_span!("request", request_id = id, route);
                run(&self.app, rule, request.clone(), payload, &id, &mut under_way).instrument(span).await
            }
            None => (self.no_rule(&request), Default::default()),
        };
        let mut response = match outcome {
            Ok(reply) => reply.respond(request.method(), request.headers()),
            Err(refused) => {
                tracing::info_span!("request", request_id = id, route, tenant = who.1).in_scope(|| refused.error.log());
                refused.respond(style, &id)
            }
        };
        self.finish(&mut response, &id);
        log(&self.app, &request, route, response.status().as_u16(), started, &id, &who);
        counted(response, under_way)
    }

    /// What every answer has.
    fn finish(&self, response: &mut HttpResponse, id: &str) {
        if let Ok(value) = HeaderValue::from_str(id) {
            response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
        }
        if self.app.draining.is_cancelled() {
            // The client sends its next request to another gateway.
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
    }

    /// The answer to a method that the path does not have.
    fn no_rule(&self, request: &HttpRequest) -> HandlerResult {
        auth::charge_unknown(&self.app, request)?;
        let allowed = self.allowed();
        if request.method() == Method::OPTIONS {
            let allow = HeaderValue::from_str(&allowed).map_err(Error::internal)?;
            return Ok(Reply::no_content().header("allow", allow));
        }
        Err(HttpError::method_not_allowed(&allowed))
    }

    fn allowed(&self) -> String {
        let mut methods: Vec<&str> = self.rules.iter().map(|rule| rule.method.name()).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.push("OPTIONS");
        methods.join(", ")
    }
}

/// What a connection takes at once.
const PIECE: usize = 32 * 1024;

/// Counts a request as under way until a body that is not sent at once, because it is large or made meanwhile, has ended.
fn counted(response: HttpResponse, under_way: Guard) -> HttpResponse {
    match response.body().size() {
        BodySize::None => response,
        BodySize::Sized(size) if usize::try_from(size).is_ok_and(|size| size <= PIECE) => response,
        BodySize::Sized(_) | BodySize::Stream => {
            response.map_body(|_head, body| BoxBody::new(Counted { body, rest: Bytes::new(), _under_way: under_way }))
        }
    }
}

/// A body that is handed out in pieces, so that its end is near the end of its sending.
struct Counted {
    body: BoxBody,
    rest: Bytes,
    _under_way: Guard,
}

impl MessageBody for Counted {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        while self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_next(cx)) {
                Some(Ok(bytes)) => self.rest = bytes,
                ended => return Poll::Ready(ended),
            }
        }
        let piece = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(self.rest.split_to(piece))))
    }
}

/// User and tenant for the log line.
type Who = (String, String);

async fn run(
    app: &App,
    rule: &'static Rule,
    request: HttpRequest,
    mut payload: Payload,
    id: &str,
    under_way: &mut Guard,
) -> (HandlerResult, Who) {
    let began = Instant::now();
    let mut caller = match deadline::within(rule.budget, auth::admit(app, rule, &request, id)).await {
        Ok(caller) => caller,
        Err(refused) => return (Err(refused), Who::default()),
    };
    // The time that the client takes to send its body is not counted.
    let budget = rule.budget.saturating_sub(began.elapsed());
    let who = caller.log_ids();
    let checked = async {
        let body = body::read(rule.body, &request, &mut payload, under_way).await?;
        let query = query::read(rule, request.query_string())?;
        caller.idempotency = auth::idempotency(rule, &request, &body)?;
        Ok((body, query))
    };
    let (body, query) = match checked.await {
        Ok(checked) => checked,
        Err(refused) => return (Err(refused), who),
    };
    let context = RequestContext {
        app: app.clone(),
        caller,
        request,
        query,
        body,
        payload: RefCell::new(payload),
        max_body: rule.body.max(),
        budget,
    };
    // All calls of the handler share one budget.
    (deadline::within(budget, rule.handler.call(context)).await, who)
}

fn log(app: &App, request: &HttpRequest, route: &str, status: u16, started: Instant, id: &str, who: &Who) {
    let elapsed = started.elapsed();
    let name = format!("{} {route}", known_name(request.method()));
    app.metrics.request(&name, &status.to_string(), elapsed.as_secs_f64());
    let ms = (elapsed.as_secs_f64() * 10_000.0).round() / 10.0;
    // A client beyond its limit must not fill the log; the metric counts its requests.
    if status == 429 {
        tracing::debug!(request_id = id, route = name, status, ms, tenant = who.1, user = who.0, "request");
    } else {
        tracing::info!(request_id = id, route = name, status, ms, tenant = who.1, user = who.0, "request");
    }
}

/// The name of a method for metrics and logs. Clients may make up methods, and each name would stay in memory.
fn known_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Answers a request to a path that no rule has.
pub(crate) async fn not_found(app: App, request: HttpRequest) -> HttpResponse {
    Route { app, rules: Vec::new() }.unknown(&request)
}

impl Route {
    fn unknown(&self, request: &HttpRequest) -> HttpResponse {
        let id = request_id(request.headers());
        let refused = auth::charge_unknown(&self.app, request).err().unwrap_or_else(HttpError::route_not_found);
        let mut response = refused.respond(Style::of(request.headers()), &id);
        self.finish(&mut response, &id);
        log(&self.app, request, "-", response.status().as_u16(), Instant::now(), &id, &Who::default());
        response
    }
}
