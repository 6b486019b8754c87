use std::collections::BTreeMap;

use kit::Code;
use serde_json::{Map, Value, json};

use super::reference;
use crate::http::json_schema::Schemas;
use crate::http::rule::{Access, Answer, Body, Method, Rule, SIGNED_IN};

/// The headers of answers, in the form of `components.headers`.
pub(super) fn headers() -> Value {
    let header = |about: &str, kind: &str| json!({ "description": about, "schema": { "type": kind } });
    json!({
        "ETag": header("The version of the object, for If-None-Match and If-Match.", "string"),
        "Link": header("The next, previous, first and last page (RFC 8288).", "string"),
        "Location": header("Where the new object is.", "string"),
        "Idempotency-Replayed": header("true when this is the answer to an earlier request with the same key.", "string"),
        "Retry-After": header("Seconds to wait before the next try.", "integer"),
        "WWW-Authenticate": header("Bearer, and whether a token was refused.", "string"),
    })
}

/// Every answer of an operation.
pub(super) fn responses(rule: &Rule, schemas: &mut Schemas) -> Map<String, Value> {
    let mut responses = Map::new();
    let (status, good) = success(rule, schemas);
    responses.insert(status.to_string(), good.clone());
    if rule.also_200 {
        responses.insert("200".to_owned(), good);
    }
    if rule.versioned && rule.method == Method::Get {
        responses.insert("304".to_owned(), json!({ "description": "The client has the newest already." }));
    }
    for (status, codes) in refusals(rule) {
        responses.insert(status.to_string(), refusal(status, &codes));
    }
    responses
}

fn success(rule: &Rule, schemas: &mut Schemas) -> (u16, Value) {
    let json_of = |schema: Value| json!({ "application/json": { "schema": schema } });
    let (status, content) = match rule.answer {
        Answer::Data(status, schema) => {
            let mut properties = json!({ "status": { "const": "success" }, "message": { "type": "string" } });
            let mut required = vec!["status", "message"];
            if let (Some(schema), Some(object)) = (schema, properties.as_object_mut()) {
                object.insert("data".to_owned(), reference(&schema(schemas)));
                required.push("data");
            }
            (status, Some(json_of(json!({ "type": "object", "required": required, "properties": properties }))))
        }
        Answer::List(schema) => {
            let page = page(rule, &schema(schemas));
            let schema = match rule.platform_data {
                None => page,
                Some(data) => json!({ "oneOf": [page, envelope(&data(schemas))] }),
            };
            (200, Some(json_of(schema)))
        }
        Answer::Bare(schema) => (200, Some(json_of(reference(&schema(schemas))))),
        Answer::NoContent => (204, None),
        Answer::Other(kinds) => {
            let schema = |kind: &str| if kind == "application/json" { "object" } else { "string" };
            let content: Map<String, Value> =
                kinds.iter().map(|kind| ((*kind).to_owned(), json!({ "schema": { "type": schema(kind) } }))).collect();
            (200, Some(content.into()))
        }
    };
    let mut names = Vec::new();
    if rule.is_list() {
        names.push("Link");
    }
    if rule.versioned && rule.method != Method::Delete {
        names.push("ETag");
    }
    if status == 201 && rule.locates {
        names.push("Location");
    }
    if rule.repeatable {
        names.push("Idempotency-Replayed");
    }
    (status, response("Success.", content, &names))
}

/// The envelope of one object.
fn envelope(data: &str) -> Value {
    json!({
        "type": "object", "required": ["status", "message", "data"],
        "properties": { "status": { "const": "success" }, "message": { "type": "string" }, "data": reference(data) },
    })
}

/// The envelope of a list: by page number with `page`, `previous` and `count`, by cursor with `next_cursor`.
fn page(rule: &Rule, row: &str) -> Value {
    let mut required = vec!["page_size", "next", "data"];
    let mut properties = json!({
        "count": { "type": "integer", "minimum": 0, "description": "All rows that match; left out by cursor, unless asked for." },
        "page": { "type": "integer", "minimum": 1 },
        "page_size": { "type": "integer", "minimum": 1, "maximum": 100 },
        "next": { "type": ["string", "null"], "format": "uri", "description": "The next page." },
        "previous": { "type": ["string", "null"], "format": "uri", "description": "The page before." },
        "data": { "type": "array", "maxItems": 100, "items": reference(row) },
    });
    if let Some(object) = properties.as_object_mut().filter(|_| rule.by_cursor) {
        let about = "The cursor of the next page; null on the last one.";
        object.insert("next_cursor".to_owned(), json!({ "type": ["string", "null"], "description": about }));
    } else {
        required.extend(["count", "page", "previous"]);
    }
    json!({ "type": "object", "required": required, "properties": properties })
}

fn response(description: &str, content: Option<Value>, headers: &[&str]) -> Value {
    let mut response = json!({ "description": description });
    let Some(object) = response.as_object_mut() else { return response };
    if let Some(content) = content {
        object.insert("content".to_owned(), content);
    }
    if !headers.is_empty() {
        let named = |name: &&str| ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
        object.insert("headers".to_owned(), headers.iter().map(named).collect::<Map<_, _>>().into());
    }
    response
}

fn refusal(status: u16, codes: &[Code]) -> Value {
    let names: Vec<&str> = codes.iter().map(|code| code.name()).collect();
    let text = codes.iter().map(|code| format!("- `{}`: {}", code.name(), code.text())).collect::<Vec<_>>().join("\n");
    let only = json!({ "type": "object", "properties": { "code": { "type": "string", "enum": names } } });
    let schema = json!({ "allOf": [reference("Error"), only] });
    // Problem details (RFC 9457) are only for clients that ask for them; as a second type they would be in the way of those
    // that are generated.
    let content = json!({ "application/json": { "schema": schema } });
    let headers: &[&str] = match status {
        401 => &["WWW-Authenticate"],
        429 | 503 => &["Retry-After"],
        _ => &[],
    };
    response(&text, Some(content), headers)
}

/// Every code that the operation can answer, by status: those of its kind and those that its rule names.
fn refusals(rule: &Rule) -> BTreeMap<u16, Vec<Code>> {
    let mut codes = vec![
        Code::UnknownParameter,
        Code::TooManyValues,
        Code::ValidationError,
        Code::RateLimited,
        Code::InternalError,
        Code::ServiceUnavailable,
        Code::Timeout,
    ];
    if rule.path.contains("{tenant}") {
        codes.push(Code::TenantNotFound);
    } else if rule.path.contains('{') {
        codes.push(Code::NotFound);
    }
    if rule.is_list() {
        codes.push(Code::PageOutOfRange);
    }
    if let Access::Roles(roles) = rule.access {
        codes.extend([Code::NotAuthenticated, Code::TokenNotValid]);
        if roles.len() < SIGNED_IN.len() {
            codes.push(Code::PermissionDenied);
        }
    }
    if !matches!(rule.body, Body::None) {
        codes.extend([Code::BodyTooSlow, Code::PayloadTooLarge, Code::UnsupportedMediaType]);
    }
    if matches!(rule.body, Body::Json(..) | Body::MaybeJson(..)) {
        codes.push(Code::MalformedJson);
    }
    if rule.repeatable {
        codes.extend([Code::IdempotencyKeyReused, Code::RequestInProgress, Code::QuotaExceeded]);
    }
    if rule.versioned && matches!(rule.method, Method::Put | Method::Patch | Method::Delete) {
        codes.push(Code::PreconditionFailed);
    }
    codes.extend_from_slice(rule.codes);
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        let of_status = by_status.entry(code.http()).or_default();
        if !of_status.contains(&code) {
            of_status.push(code);
        }
    }
    by_status
}
