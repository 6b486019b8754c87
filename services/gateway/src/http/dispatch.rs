//! The checks of a request, in the order of the contract: route, method, token, role, body, query. Then the handler is
//! called.

use std::cell::RefCell;
use std::time::Instant;

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use kit::{Code, Error};

use crate::app::App;
use crate::http::context::{HandlerResult, RequestContext};
use crate::http::error::{HttpError, Style};
use crate::http::request_id::request_id;
use crate::http::rule::Rule;
use crate::http::{auth, body};

/// The query parameters that every list accepts.
const PAGING: [&str; 2] = ["page", "page_size"];

/// The rules of one path.
#[derive(Clone)]
pub(crate) struct Route {
    pub app: App,
    pub rules: Vec<&'static Rule>,
}

impl Route {
    /// Answers a request to this path.
    pub(crate) async fn handle(self, request: HttpRequest, payload: Payload) -> HttpResponse {
        let started = Instant::now();
        let id = request_id(request.headers());
        let style = Style::of(request.headers());
        let rule = self.rules.iter().find(|rule| rule.method.serves(request.method()));
        let (outcome, who) = match rule {
            Some(rule) => run(&self.app, rule, request.clone(), payload, &id).await,
            None => (Err(HttpError::method_not_allowed(&self.allowed())), Default::default()),
        };
        let mut response = match outcome {
            Ok(reply) => reply.respond(request.headers()),
            Err(refused) => {
                refused.error.log();
                refused.respond(style, &id)
            }
        };
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
        }
        let route = rule.map_or("-", |rule| rule.path);
        log(&self.app, &request, route, response.status().as_u16(), started, &id, &who);
        response
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

/// User and tenant for the log line.
type Who = (String, String);

async fn run(
    app: &App,
    rule: &'static Rule,
    request: HttpRequest,
    mut payload: Payload,
    id: &str,
) -> (HandlerResult, Who) {
    let mut caller = match auth::admit(app, rule, &request, id).await {
        Ok(caller) => caller,
        Err(refused) => return (Err(refused), Who::default()),
    };
    let who = caller.log_ids();
    let checked = async {
        let body = body::read(rule.body, &request, &mut payload).await?;
        let query = query(rule, &request)?;
        caller.idempotency = auth::idempotency(rule, &request, &body)?;
        Ok((body, query))
    };
    let (body, query) = match checked.await {
        Ok(checked) => checked,
        Err(refused) => return (Err(refused), who),
    };
    let context = RequestContext {
        app: app.clone(),
        rate: rule.rate,
        caller,
        request,
        query,
        body,
        payload: RefCell::new(payload),
        max_body: rule.body.max(),
    };
    (rule.handler.call(context).await, who)
}

/// The parameters of the query; refuses parameters that the rule does not list.
fn query(rule: &Rule, request: &HttpRequest) -> Result<Vec<(String, String)>, HttpError> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
    for (name, value) in &pairs {
        let known = rule.query.contains(&name.as_str()) || (rule.is_list() && PAGING.contains(&name.as_str()));
        if !known {
            return Err(Error::new(Code::UnknownParameter).field(name, "Unknown parameter.").into());
        }
        if value.chars().any(char::is_control) {
            return Err(Error::invalid(name, "Control characters are not allowed.").into());
        }
    }
    Ok(pairs)
}

fn log(app: &App, request: &HttpRequest, route: &str, status: u16, started: Instant, id: &str, who: &Who) {
    let elapsed = started.elapsed();
    let name = format!("{} {route}", request.method());
    app.metrics.request(&name, &status.to_string(), elapsed.as_secs_f64());
    let ms = (elapsed.as_secs_f64() * 10_000.0).round() / 10.0;
    tracing::info!(request_id = id, route = name, status, ms, tenant = who.1, user = who.0, "request");
}

/// Answers a request to a path that no rule has.
pub(crate) async fn not_found(app: App, request: HttpRequest) -> HttpResponse {
    Route { app, rules: Vec::new() }.unknown(&request)
}

impl Route {
    fn unknown(&self, request: &HttpRequest) -> HttpResponse {
        let id = request_id(request.headers());
        let mut response = HttpError::route_not_found().respond(Style::of(request.headers()), &id);
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
        }
        log(&self.app, request, "-", 404, Instant::now(), &id, &Who::default());
        response
    }
}
