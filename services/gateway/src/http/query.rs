//! Reads and checks the query of a request before its handler is called.

use std::collections::BTreeMap;

use kit::error::Faults;
use kit::{Code, Error};
use percent_encoding::percent_decode_str;

use crate::http::error::HttpError;
use crate::http::param::{Kind, MAX_PAIRS, MAX_VALUES, Param};
use crate::http::rule::Rule;

/// The parameters of a request, checked, in their order. Values of a closed set are spelled as the rule spells them.
pub(crate) fn read(rule: &Rule, raw: &str) -> Result<Vec<(String, String)>, HttpError> {
    let mut pairs = Vec::new();
    for piece in raw.split('&').filter(|piece| !piece.is_empty()) {
        if pairs.len() == MAX_PAIRS {
            let text = format!("Send at most {MAX_PAIRS} parameters.");
            return Err(Error::new(Code::TooManyValues).field("non_field_errors", text).into());
        }
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        pairs.push((decoded(name)?, decoded(value)?));
    }
    require_known(rule, &pairs)?;
    let mut faults = Faults::default();
    for param in rule.params() {
        check(param, &mut pairs, &mut faults)?;
    }
    faults.finish()?;
    if pairs.iter().any(|(name, _)| name == "cursor") && pairs.iter().any(|(name, _)| name == "page") {
        return Err(Error::invalid("cursor", "Send either page or cursor.").into());
    }
    Ok(pairs)
}

fn decoded(text: &str) -> Result<String, HttpError> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map(std::borrow::Cow::into_owned);
    decoded.map_err(|_broken| Error::invalid("non_field_errors", "The query is not valid UTF-8.").into())
}

/// Names every parameter that the rule does not have.
fn require_known(rule: &Rule, pairs: &[(String, String)]) -> Result<(), HttpError> {
    let known = |name: &str| rule.params().any(|param| param.name == name);
    let unknown: BTreeMap<&str, ()> =
        pairs.iter().filter(|(name, _)| !known(name)).map(|(name, _)| (shortened(name), ())).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let error = Error::new(Code::UnknownParameter);
    Err(unknown.keys().fold(error, |error, name| error.field(name, "Unknown parameter.")).into())
}

/// Names come from the client and are sent back, so they are cut.
fn shortened(name: &str) -> &str {
    let end = name.char_indices().nth(50).map_or(name.len(), |(at, _)| at);
    name.get(..end).unwrap_or_default()
}

fn check(param: &Param, pairs: &mut [(String, String)], faults: &mut Faults) -> Result<(), HttpError> {
    let mut seen = 0;
    for (_, value) in pairs.iter_mut().filter(|(name, _)| name == param.name) {
        seen += 1;
        if seen > 1 && !param.many {
            faults.add(param.name, "Send this parameter once.");
            return Ok(());
        }
        if seen > MAX_VALUES {
            let text = format!("Send at most {MAX_VALUES} values.");
            return Err(Error::new(Code::TooManyValues).field(param.name, text).into());
        }
        if let Err(text) = checked(param.kind, value) {
            faults.add(param.name, text);
            return Ok(());
        }
    }
    Ok(())
}

fn checked(kind: Kind, value: &mut String) -> Result<(), String> {
    if value.chars().any(char::is_control) {
        return Err("Control characters are not allowed.".to_owned());
    }
    if value.chars().count() > kind.max() {
        return Err(format!("Send at most {} characters.", kind.max()));
    }
    match kind {
        Kind::Flag if value != "true" && value != "false" => Err("Say true or false.".to_owned()),
        Kind::Time if chrono::DateTime::parse_from_rfc3339(value).is_err() => {
            Err("Send a time such as 2026-11-27T09:30:00Z.".to_owned())
        }
        Kind::Number if !is_positive(value) => Err("Send a whole number from 1.".to_owned()),
        Kind::OneOf(values) => match values.iter().find(|known| known.eq_ignore_ascii_case(value)) {
            Some(known) => {
                *value = (*known).to_owned();
                Ok(())
            }
            None => Err(format!("Say one of {}.", values.join(", "))),
        },
        _ => Ok(()),
    }
}

/// True for a number of any length: one that does not fit is past the last page, not malformed.
fn is_positive(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte != b'0')
}
