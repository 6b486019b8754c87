//! Holds every answer that a test gets to the OpenAPI document: its status, its error code and its body.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use anyhow::{Context, ensure};
use jsonschema::Validator;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value, json};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = gateway::openapi_document("http://localhost");
    close(&mut document);
    document
});
/// Headers that are not in every answer: of a repetition, and of a list that has one page.
const SOMETIMES: &[&str] = &["Idempotency-Replayed", "Link"];

/// Path, method and status.
type Answer = (String, String, u16);
/// The validators that were needed so far.
static VALIDATORS: LazyLock<Mutex<HashMap<Answer, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Compares the answer to a request with what the document says; routes and methods that it does not have are not
/// compared. `body` is `None` when the answer is not JSON.
///
/// # Errors
/// When a client that was generated from the document would not expect the answer.
pub(crate) fn check(
    method: &str,
    path: &str,
    status: u16,
    headers: &HeaderMap,
    body: Option<&Value>,
) -> anyhow::Result<()> {
    let Some((template, operations)) = path_item(path) else { return Ok(()) };
    let Some(operation) = operations.get(&method.to_lowercase()) else { return Ok(()) };
    let what = || format!("{method} {template} answered {status} {}", body.unwrap_or(&Value::Null));
    let documented = operation.pointer(&format!("/responses/{status}"));
    let documented = documented.with_context(|| format!("{}: the document has no such status", what()))?;
    let promised = documented.get("headers").and_then(Value::as_object).into_iter().flat_map(Map::keys);
    for name in promised.filter(|name| !SOMETIMES.contains(&name.as_str())) {
        ensure!(headers.contains_key(name), "{} without {name}", what());
    }
    let Some(schema) = documented.pointer("/content/application~1json/schema") else { return Ok(()) };
    let Some(body) = body else { return Ok(()) };
    let validator = validator((template.clone(), method.to_lowercase(), status), schema)?;
    let faults: Vec<String> =
        validator.iter_errors(body).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    ensure!(faults.is_empty(), "{}, which is not what the document says: {}", what(), faults.join("; "));
    Ok(())
}

/// Lets no object have a field that the document does not name (TN-12): a client may pass over such a field, but an answer
/// that has one tells more than was decided.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            // A part of a schema does not know the fields of the other parts; the whole does.
            for part in members.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
                part.as_object_mut().and_then(|part| part.remove("unevaluatedProperties"));
            }
            let is_object = members.get("properties").is_some_and(Value::is_object) || members.contains_key("allOf");
            if is_object && !members.contains_key("additionalProperties") {
                members.insert("unevaluatedProperties".to_owned(), false.into());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn path_item(path: &str) -> Option<(&'static String, &'static Map<String, Value>)> {
    let segments = |path: &str| -> Vec<String> {
        let path = path.strip_prefix('/').unwrap_or(path);
        path.strip_suffix('/').unwrap_or(path).split('/').map(str::to_owned).collect()
    };
    let given = segments(path);
    let fits = |template: &str| {
        let wanted = segments(template);
        wanted.len() == given.len()
            && wanted
                .iter()
                .zip(&given)
                .all(|(wanted, given)| wanted == given || wanted.starts_with('{') && !given.is_empty())
    };
    let paths = DOCUMENT.get("paths")?.as_object()?;
    // A path without parameters is more exact than one with them.
    let found = paths.iter().filter(|(template, _)| fits(template)).min_by_key(|(template, _)| template.contains('{'));
    found.and_then(|(template, item)| Some((template, item.as_object()?)))
}

fn validator(key: Answer, schema: &Value) -> anyhow::Result<Arc<Validator>> {
    let mut known = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(validator) = known.get(&key) {
        return Ok(validator.clone());
    }
    let whole = json!({ "components": DOCUMENT.get("components"), "allOf": [schema] });
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&whole)
        .map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let validator = Arc::new(validator);
    known.insert(key, validator.clone());
    Ok(validator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(body: &Value) -> anyhow::Result<()> {
        let headers = ["x-request-id", "cache-control", "etag"];
        let headers = headers.into_iter().map(|name| (name.parse().unwrap(), "x".parse().unwrap())).collect();
        check("GET", "/api/v1/users/me/", 200, &headers, Some(body))
    }

    #[test]
    fn tn_12_an_answer_with_a_field_that_the_document_does_not_have_is_not_taken() {
        let id = "0198c2f4-7d1e-7a43-9a53-3f6d0e2b8c11";
        let user = json!({
            "id": id, "username": "anna", "email": "anna@x.example", "first_name": "", "last_name": "", "phone_no": "",
            "role": "LISTENER", "tenant_id": id, "tenant_name": "Alpha", "is_verified": true, "is_active": true,
            "date_joined": "2026-11-28T10:00:00Z", "totp_enabled": false
        });
        let answer = |user: &Value| json!({ "status": "success", "message": "", "data": user });
        checked(&answer(&user)).unwrap();
        let mut more = user;
        more["password_hash"] = json!("");
        let refused = checked(&answer(&more)).unwrap_err().to_string();
        assert!(refused.contains("password_hash"), "{refused}");
    }
}
