//! The OpenAPI 3.1 document: paths, roles and limits are made from the rules, schemas from the types of the bodies.

use std::collections::BTreeMap;

use kit::Code;
use serde_json::{Map, Value, json};

use super::rules;
use crate::http::json_schema::Schemas;
use crate::http::param::{Kind, MAX_VALUES, Param};
use crate::http::rule::{Access, Answer, Body, Method, Rule};

/// The whole document.
pub fn document(public_url: &str) -> Value {
    let mut schemas = Schemas::default();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for rule in rules().filter(|rule| !rule.id.is_empty()) {
        let operation = operation(rule, &mut schemas);
        paths.entry(rule.full_path()).or_default().insert(rule.method.name().to_lowercase(), operation);
    }
    schemas.insert("Error", error_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "SongList",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Song catalogue, playlists, song requests and premium for many tenants.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": public_url }],
        "paths": paths,
        "components": {
            "schemas": schemas.into_json(),
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
        },
    })
}

fn operation(rule: &Rule, schemas: &mut Schemas) -> Value {
    let mut operation = json!({
        "operationId": rule.id,
        "summary": rule.summary,
        "tags": [tag(rule)],
        "parameters": parameters(rule),
        "responses": responses(rule, schemas),
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
        Body::Raw(max) => json!({
            "required": true, "description": format!("At most {max} bytes."),
            "content": { "application/json": { "schema": { "type": "object" } } },
        }),
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

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn tag(rule: &Rule) -> &str {
    let path = rule.path.trim_start_matches('/');
    match path.split('/').find(|part| !part.starts_with('{')).unwrap_or(path) {
        "tenant" if path.contains("/auth/") => "auth",
        "tenant" => "tenant songs",
        "token" => "auth",
        first => first,
    }
}

fn parameters(rule: &Rule) -> Vec<Value> {
    let path = rule.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(path_parameter);
    let query = rule.params().map(query_parameter);
    let key = rule.repeatable.then(|| {
        json!({ "name": "Idempotency-Key", "in": "header", "required": false,
                "description": "Makes the request safe to repeat: the same key with the same body gets the first answer again.",
                "schema": { "type": "string", "minLength": 1, "maxLength": 255 } })
    });
    path.chain(query).chain(key).collect()
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
    };
    let schema = if param.many { json!({ "type": "array", "maxItems": MAX_VALUES, "items": schema }) } else { schema };
    json!({ "name": param.name, "in": "query", "required": false, "description": param.about, "schema": schema })
}

fn responses(rule: &Rule, schemas: &mut Schemas) -> Map<String, Value> {
    let json_of = |schema: Value| json!({ "application/json": { "schema": schema } });
    let (status, good) = match rule.answer {
        Answer::Data(status, schema) => {
            let mut properties = json!({ "status": { "const": "success" }, "message": { "type": "string" } });
            if let (Some(schema), Some(object)) = (schema, properties.as_object_mut()) {
                let name = schema(schemas);
                object.insert("data".to_owned(), reference(&name));
            }
            (status, json_of(json!({ "type": "object", "properties": properties })))
        }
        Answer::List(schema) => {
            let name = schema(schemas);
            let list = json!({ "type": "object", "required": ["data"], "properties": {
                "count": { "type": "integer" }, "page": { "type": "integer" }, "page_size": { "type": "integer" },
                "next": { "type": ["string", "null"] }, "previous": { "type": ["string", "null"] },
                "next_cursor": { "type": ["string", "null"] }, "data": { "type": "array", "items": reference(&name) } } });
            (200, json_of(list))
        }
        Answer::Bare(schema) => {
            let name = schema(schemas);
            (200, json_of(reference(&name)))
        }
        Answer::NoContent => (204, json!({})),
        Answer::Other(kind) => (200, json!({ kind: { "schema": { "type": "string" } } })),
    };
    let mut responses = Map::new();
    responses.insert(status.to_string(), json!({ "description": "Success", "content": good }));
    for (status, text) in refusals(rule) {
        responses.insert(status.to_string(), json!({ "description": text, "content": json_of(reference("Error")) }));
    }
    responses
}

fn refusals(rule: &Rule) -> Vec<(u16, &'static str)> {
    let mut refusals = vec![
        (400, "Validation, unknown parameter"),
        (429, "Rate limit"),
        (500, "A bug"),
        (503, "A dependency is down"),
    ];
    if rule.path.contains('{') || rule.is_list() {
        refusals.push((404, "Unknown or out of scope"));
    }
    if matches!(rule.access, Access::Roles(_)) {
        refusals.extend([(401, "Not signed in"), (403, "Not allowed for this role")]);
    } else if rule.path.contains("login") || rule.path.contains("token") {
        refusals.extend([(401, "Wrong credentials or token"), (403, "Not verified or not active")]);
    }
    if !matches!(rule.body, Body::None) {
        refusals.extend([(413, "Body too large"), (415, "Not JSON")]);
    }
    if rule.method != Method::Get {
        refusals.push((409, "Conflict"));
    }
    if rule.repeatable {
        refusals.push((422, "Idempotency-Key reused with another payload"));
    }
    refusals.sort_unstable();
    refusals
}

fn error_schema() -> Value {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    json!({
        "type": "object",
        "required": ["status", "code", "message", "request_id"],
        "properties": {
            "status": { "const": "error" },
            "code": { "type": "string", "description": "Stable.", "enum": codes },
            "message": { "type": "string" },
            "errors": { "type": "object", "additionalProperties": { "type": "array", "items": { "type": "string" } } },
            "details": { "type": "object", "additionalProperties": { "type": "string" } },
            "request_id": { "type": "string" },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn cf_01_operations_read_as_functions_and_parameters_have_types_and_sentences() {
        let document = document("http://localhost");
        let mut ids = HashSet::new();
        let mut checked = 0;
        for (path, operations) in document["paths"].as_object().unwrap() {
            assert!(!path.starts_with("/docs") && !path.starts_with("/healthz"), "{path} is not part of the API");
            for operation in operations.as_object().unwrap().values() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(ids.insert(id.to_owned()) && id.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{id}");
                for parameter in operation["parameters"].as_array().unwrap() {
                    let what = format!("{id}: {parameter}");
                    assert!(parameter["description"].as_str().is_some_and(|text| text.ends_with('.')), "{what}");
                    let schema = &parameter["schema"];
                    let schema = if schema["type"] == "array" { &schema["items"] } else { schema };
                    let typed = schema["type"] != "string"
                        || ["enum", "format", "maxLength"].iter().any(|key| !schema[*key].is_null())
                        || parameter["name"] == "asset";
                    assert!(typed, "{what}");
                    checked += 1;
                }
            }
        }
        assert!(checked > 60, "{checked}");
    }

    #[test]
    fn cf_01_and_cf_12_every_field_of_an_answer_is_required_and_has_its_format() {
        let document = document("http://localhost");
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let song = &schemas["TenantSongView"];
        let required: HashSet<&str> =
            song["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let all: HashSet<&str> = song["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(required, all, "always sent, nullable or not");
        assert_eq!(song["properties"]["id"]["format"], "uuid");
        assert_eq!(song["properties"]["created_at"]["format"], "date-time");
        assert_eq!(schemas["UserView"]["properties"]["email"]["format"], "email");
    }
}
