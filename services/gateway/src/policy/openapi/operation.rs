use serde_json::{Map, Value, json};

use super::{reference, responses};
use crate::http::json_schema::Schemas;
use crate::http::param::{Kind, MAX_VALUES, Param};
use crate::http::rule::{Access, Body, Method, Rule};

/// One operation of the document.
pub(super) fn operation(rule: &Rule, schemas: &mut Schemas) -> Value {
    let mut operation = json!({
        "operationId": rule.id,
        "summary": rule.summary,
        "description": description(rule),
        "tags": [tag(rule)],
        "parameters": parameters(rule),
        "responses": responses::responses(rule, schemas),
        "x-rate-limit": rule.rate.text(),
        "x-reach": rule.reach.text(),
    });
    let Some(object) = operation.as_object_mut() else { return operation };
    match rule.access {
        Access::Public => object.insert("security".to_owned(), json!([])),
        Access::Roles(roles) => {
            let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
            object.insert("x-roles".to_owned(), json!(names));
            object.insert("security".to_owned(), json!([{ "bearer": [] }]))
        }
    };
    let body = match rule.body {
        Body::None => return operation,
        Body::Json(max, schema) => {
            let name = schema(schemas);
            json!({ "required": true, "description": format!("At most {max} bytes."),
                    "content": { "application/json": { "schema": reference(&name) } } })
        }
        Body::MaybeJson(max, schema) => {
            let name = schema(schemas);
            json!({ "required": false, "description": format!("At most {max} bytes."),
                    "content": { "application/json": { "schema": reference(&name) } } })
        }
        Body::Raw(max) => json!({
            "required": true, "description": format!("At most {max} bytes."),
            "content": { "application/json": { "schema": { "type": "object" } } },
        }),
        Body::File(max, kinds) => {
            let file = json!({ "schema": { "type": "string", "format": "binary" } });
            let content: Map<String, Value> = kinds.iter().map(|kind| ((*kind).to_owned(), file.clone())).collect();
            json!({ "required": true, "description": format!("At most {max} bytes."), "content": content })
        }
        Body::Upload(max) => {
            let text = json!({ "schema": { "type": "string" } });
            let file = json!({ "type": "object", "required": ["file"],
                               "properties": { "file": { "type": "string", "format": "binary" } } });
            json!({ "required": true, "description": format!("At most {max} bytes."), "content": {
                "text/csv": text, "application/x-ndjson": text, "multipart/form-data": { "schema": file } } })
        }
    };
    object.insert("requestBody".to_owned(), body);
    operation
}

fn description(rule: &Rule) -> String {
    let who = match rule.access {
        Access::Public => "anybody".to_owned(),
        Access::Roles(roles) => roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", "),
    };
    let repeatable = if rule.repeatable { " Safe to repeat with an Idempotency-Key." } else { "" };
    format!("For {who}; reaches {}. Limit: {}.{repeatable}", rule.reach.text(), rule.rate.text())
}

fn tag(rule: &Rule) -> &str {
    let path = rule.path.trim_start_matches('/');
    match path.split('/').find(|part| !part.starts_with('{')).unwrap_or(path) {
        "tenant" if path.contains("/auth/") => "auth",
        "tenant" => "tenant songs",
        "token" => "auth",
        first @ ("auth" | "users" | "tenants" | "genres" | "songs" | "playlists" | "song-requests" | "payments") => {
            first
        }
        "super-admin" => "users",
        "audit" => "audit",
        _ => "platform",
    }
}

fn parameters(rule: &Rule) -> Vec<Value> {
    let path = rule.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(path_parameter);
    let query = rule.params().map(query_parameter);
    let header = |name: &str, about: &str, max: u32| {
        json!({ "name": name, "in": "header", "required": false, "description": about,
                "schema": { "type": "string", "minLength": 1, "maxLength": max } })
    };
    let key = rule.repeatable.then(|| {
        let about = "Makes the request safe to repeat: the same key with the same body gets the first answer again.";
        header("Idempotency-Key", about, 255)
    });
    let condition = match rule.method {
        _ if !rule.versioned => None,
        Method::Get => Some(header("If-None-Match", "The ETag that is known: 304 when it is still the newest.", 1_000)),
        Method::Put | Method::Patch | Method::Delete => {
            Some(header("If-Match", "The ETag that is known: 412 when somebody changed the object meanwhile.", 1_000))
        }
        Method::Post => None,
    };
    path.chain(query).chain(key).chain(condition).collect()
}

fn path_parameter(name: &str) -> Value {
    let (about, schema) = match name {
        "tenant" => ("The tenant's id or slug.", json!({ "type": "string", "maxLength": 63 })),
        "asset" => ("The name of the file.", json!({ "type": "string" })),
        _ => ("The id of the object.", json!({ "type": "string", "format": "uuid" })),
    };
    json!({ "name": name, "in": "path", "required": true, "description": about, "schema": schema })
}

fn query_parameter(param: &Param) -> Value {
    let schema = match param.kind {
        Kind::Text | Kind::Search | Kind::Cursor | Kind::Opaque => {
            json!({ "type": "string", "maxLength": param.kind.max() })
        }
        Kind::Id => json!({ "type": "string", "format": "uuid" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::OneOf(values) => json!({ "type": "string", "enum": values }),
        Kind::Number => json!({ "type": "integer", "minimum": 1 }),
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::Ids => json!({ "type": "string", "maxLength": param.kind.max() }),
    };
    let schema = if param.many { json!({ "type": "array", "maxItems": MAX_VALUES, "items": schema }) } else { schema };
    json!({ "name": param.name, "in": "query", "required": false, "description": param.about, "schema": schema })
}
