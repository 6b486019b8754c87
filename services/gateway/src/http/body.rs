use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::web::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde::de::IgnoredAny;

use crate::http::error::HttpError;
use crate::http::rule::Body;

/// The deepest nesting of brackets in a JSON body.
const MAX_DEPTH: u32 = 16;

/// Reads the body that a rule expects; the body of an upload is left to the handler.
pub(crate) async fn read(kind: Body, request: &HttpRequest, payload: &mut Payload) -> Result<Bytes, HttpError> {
    match kind {
        Body::None => Ok(Bytes::new()),
        Body::Upload(max) => check_length(request, max).map(|()| Bytes::new()),
        Body::Raw(max) => collect(request, payload, max).await,
        Body::Json(max, _) => {
            if !is_json(request) {
                return Err(HttpError::not_json());
            }
            let bytes = collect(request, payload, max).await?;
            let well_formed = serde_json::from_slice::<IgnoredAny>(&bytes).is_ok() && depth(&bytes) <= MAX_DEPTH;
            if well_formed { Ok(bytes) } else { Err(HttpError::malformed_json()) }
        }
    }
}

fn is_json(request: &HttpRequest) -> bool {
    let header = request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = header.split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    json && parts.all(|part| part.is_empty() || part.to_ascii_lowercase().replace('"', "") == "charset=utf-8")
}

fn check_length(request: &HttpRequest, max: usize) -> Result<(), HttpError> {
    let length =
        request.headers().get("content-length").and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok());
    if length.is_some_and(|length| length > max) { Err(HttpError::too_large()) } else { Ok(()) }
}

async fn collect(request: &HttpRequest, payload: &mut Payload, max: usize) -> Result<Bytes, HttpError> {
    check_length(request, max)?;
    let mut body = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|_cut| HttpError::malformed_json())?;
        if body.len() + piece.len() > max {
            return Err(HttpError::too_large());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// The depth of nesting in well-formed JSON.
fn depth(json: &[u8]) -> u32 {
    let (mut now, mut deepest, mut in_text, mut escaped) = (0_u32, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                now += 1;
                deepest = deepest.max(now);
            }
            b'}' | b']' if !in_text => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    #[test]
    fn in_01_brackets_count_towards_the_depth_only_outside_of_texts() {
        assert_eq!(super::depth(br#"{"a":[1,{"b":"[[[{\"[["}]}"#), 3);
    }
}
