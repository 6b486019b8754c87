//! Parses a JSON body as the type of a route, and says of every field of the wrong type what to send.

use kit::{Code, Error};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The most faults that are named.
const MAX_FAULTS: usize = 20;

/// The body as a type.
///
/// # Errors
/// `validation_error` with every field that has the wrong type or is missing.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut reader).map_err(|_first| faults::<T>(body))
}

/// Replaces each wrong value by one of the expected type until nothing is wrong any more: serde stops at the first.
fn faults<T: DeserializeOwned>(body: &[u8]) -> Error {
    let mut error = Error::new(Code::ValidationError);
    let mut members: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    for _ in 0..MAX_FAULTS {
        let Err(fault) = serde_path_to_error::deserialize::<_, T>(Value::Object(members.clone())) else { return error };
        let text = fault.inner().to_string();
        let path = fault.path().to_string();
        let (field, sentence, instead) = match text.strip_prefix("missing field `") {
            Some(rest) => {
                (rest.split('`').next().unwrap_or_default(), "This field is required.", substitute("a string"))
            }
            None => (path.as_str(), sentence(&text), substitute(&text)),
        };
        let known = error.fields().iter().any(|(name, _)| name.starts_with(field));
        if known {
            return error;
        }
        error = error.field(if field == "." { "non_field_errors" } else { field }, sentence);
        let top = field.split(['.', '[']).next().unwrap_or_default();
        if members.insert(top.to_owned(), instead.clone()) == Some(instead) {
            return error;
        }
    }
    error
}

/// What serde expected, as a sentence.
fn sentence(text: &str) -> &'static str {
    if text.starts_with("invalid type: null") {
        return "May not be null.";
    }
    match text.rsplit("expected ").next().unwrap_or_default() {
        kind if kind.starts_with("a string") => "Must be a string.",
        kind if kind.starts_with("a boolean") => "Must be true or false.",
        kind if kind.starts_with("a sequence") => "Must be an array.",
        kind if kind.starts_with("struct") || kind.starts_with("a map") => "Must be an object.",
        kind if is_integer(kind) => "Must be a whole number.",
        _ => "Not valid.",
    }
}

fn is_integer(kind: &str) -> bool {
    let first = kind.split([' ', ',']).next().unwrap_or_default();
    ["i16", "i32", "i64", "u16", "u32", "u64", "usize"].contains(&first) || kind.starts_with("an integer")
}

/// A value of the expected type.
fn substitute(text: &str) -> Value {
    match text.rsplit("expected ").next().unwrap_or_default() {
        kind if kind.starts_with("a boolean") => Value::Bool(false),
        kind if kind.starts_with("a sequence") => Value::Array(Vec::new()),
        kind if is_integer(kind) => Value::from(1),
        kind if kind.starts_with("struct") || kind.starts_with("a map") => Value::Object(Map::new()),
        _ => Value::String(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only parsed")]
    struct Body {
        title: String,
        year: Option<i32>,
        ids: Option<Vec<String>>,
        approved: Option<bool>,
    }

    fn faults_of(body: &str) -> Vec<(String, String)> {
        let error = parse::<Body>(body.as_bytes()).unwrap_err();
        error.fields().iter().map(|(field, text)| ((*field).to_string(), (*text).to_string())).collect()
    }

    #[test]
    fn cf_03_every_field_of_a_wrong_type_is_named_with_what_to_send() {
        let found = faults_of(r#"{"title":5,"year":"x","ids":"a","approved":1}"#);
        let text = |field: &str| found.iter().find(|(name, _)| name == field).map(|(_, text)| text.as_str());
        assert_eq!(text("title"), Some("Must be a string."));
        assert_eq!(text("year"), Some("Must be a whole number."));
        assert_eq!(text("ids"), Some("Must be an array."));
        assert_eq!(text("approved"), Some("Must be true or false."));
    }

    #[test]
    fn cf_08_missing_and_null_fields_are_named_beside_others() {
        assert_eq!(faults_of(r#"{"title":null}"#), [("title".to_owned(), "May not be null.".to_owned())]);
        let found = faults_of(r#"{"year":true}"#);
        assert!(found.contains(&("title".to_owned(), "This field is required.".to_owned())), "{found:?}");
        assert!(found.contains(&("year".to_owned(), "Must be a whole number.".to_owned())), "{found:?}");
        let nested = faults_of(r#"{"title":"a","ids":["a",1]}"#);
        assert_eq!(nested, [("ids[1]".to_owned(), "Must be a string.".to_owned())]);
    }
}
