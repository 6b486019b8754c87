//! The OpenAPI 3.1 document: paths, roles and limits are made from the rules, schemas from the types of the bodies.

mod operation;
mod responses;

use std::collections::BTreeMap;

use kit::Code;
use serde_json::{Map, Value, json};

use super::rules;
use crate::http::json_schema::Schemas;

/// The groups of operations.
const TAGS: &[(&str, &str)] = &[
    ("auth", "Registration, sign-in, tokens and password resets."),
    ("users", "The own profile and the users that one manages."),
    ("tenants", "The organisations of the platform."),
    ("genres", "The genres of the platform."),
    ("songs", "The catalogue: GLOBAL songs of the platform and TENANT songs of one organisation."),
    ("tenant songs", "The list of songs that a tenant plays."),
    ("playlists", "Ordered lists of a user."),
    ("song-requests", "What listeners ask for."),
    ("payments", "Premium, paid through Razorpay."),
    ("platform", "Around the API."),
];

/// The whole document.
pub fn document(public_url: &str) -> Value {
    let mut schemas = Schemas::default();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for rule in rules().filter(|rule| !rule.id.is_empty()) {
        let operation = operation::operation(rule, &mut schemas);
        paths.entry(rule.documented_path()).or_default().insert(rule.method.name().to_lowercase(), operation);
    }
    schemas.insert("Error", error_schema());
    let tags: Vec<Value> =
        TAGS.iter().map(|(name, description)| json!({ "name": name, "description": description })).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "SongList",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Song catalogue, playlists, song requests and premium for many tenants. \
                Every path is served with and without its final slash. Errors are also sent as problem details \
                (RFC 9457) to clients that accept application/problem+json.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "contact": { "name": "The operator of this installation", "url": public_url },
        },
        "servers": [{ "url": public_url }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas.into_json(),
            "headers": responses::headers(),
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
        },
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn error_schema() -> Value {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    json!({
        "type": "object",
        "required": ["status", "code", "message", "request_id"],
        "properties": {
            "status": { "const": "error" },
            "code": { "type": "string", "description": "Stable: branch on it.", "enum": codes },
            "message": { "type": "string", "description": "For people." },
            "errors": {
                "type": "object", "description": "What is wrong with each field, or with the whole as non_field_errors.",
                "additionalProperties": { "type": "array", "items": { "type": "string" } },
            },
            "details": {
                "type": "object", "description": "Facts, such as the id of what is there already.",
                "additionalProperties": { "type": "string" },
            },
            "request_id": { "type": "string", "description": "Quote it when you report a fault." },
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
        assert_eq!(schemas["UserView"]["properties"]["email"]["format"], "idn-email");
    }
}
