use actix_web::http::header::HeaderMap;

/// The client's request id when it is valid (8 to 64 letters, digits, `-` and `_`), else a new one.
pub(crate) fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get("x-request-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let sane =
        (8..=64).contains(&given.len()) && given.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if sane { given.to_owned() } else { kit::ids::random().to_string() }
}
