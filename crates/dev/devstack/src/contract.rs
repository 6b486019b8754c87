//! Holds every answer that a test gets to the OpenAPI document: its status, its error code and its body.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use anyhow::{Context, ensure};
use jsonschema::Validator;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value, json};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| gateway::openapi_document("http://localhost"));
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
