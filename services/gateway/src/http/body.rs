use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::web::{Bytes, BytesMut};
use futures_util::StreamExt;
use kit::leaving::Guard;

use crate::http::error::HttpError;
use crate::http::json_shape::is_acceptable;
use crate::http::rule::Body;

/// A client that has sent nothing for so long is silent.
const SILENT: Duration = Duration::from_millis(300);
/// The longest that a body may take to arrive, and a piece of an upload.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the body that a rule expects; the body of an upload is left to the handler. A request whose client is silent is not
/// waited for when the gateway stops.
pub(crate) async fn read(
    kind: Body,
    request: &HttpRequest,
    payload: &mut Payload,
    under_way: &mut Guard,
) -> Result<Bytes, HttpError> {
    match kind {
        Body::None => Ok(Bytes::new()),
        Body::Upload(max) => check_length(request, max).map(|()| Bytes::new()),
        Body::Raw(max) => collect(request, payload, max, under_way).await,
        Body::File(max, kinds) => {
            check_length(request, max)?;
            if !kinds.contains(&media_type(request).as_str()) {
                return Err(HttpError::unsupported_media_type(kinds));
            }
            collect(request, payload, max, under_way).await
        }
        Body::MaybeJson(max, _) => {
            let bytes = collect(request, payload, max, under_way).await?;
            match &*bytes {
                [] => Ok(Bytes::from_static(b"{}")),
                _ if !is_json(request) => Err(HttpError::not_json()),
                _ if is_acceptable(&bytes) => Ok(bytes),
                _ => Err(HttpError::malformed_json()),
            }
        }
        Body::Json(max, _) => {
            if !is_json(request) {
                return Err(HttpError::not_json());
            }
            let bytes = collect(request, payload, max, under_way).await?;
            if is_acceptable(&bytes) { Ok(bytes) } else { Err(HttpError::malformed_json()) }
        }
    }
}

fn is_json(request: &HttpRequest) -> bool {
    let header = request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = header.split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    json && parts.all(|part| part.is_empty() || part.to_ascii_lowercase().replace('"', "") == "charset=utf-8")
}

/// The media type of the body, without its parameters.
fn media_type(request: &HttpRequest) -> String {
    let header = request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn check_length(request: &HttpRequest, max: usize) -> Result<(), HttpError> {
    let length =
        request.headers().get("content-length").and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok());
    if length.is_some_and(|length| length > max) { Err(HttpError::too_large()) } else { Ok(()) }
}

async fn collect(
    request: &HttpRequest,
    payload: &mut Payload,
    max: usize,
    under_way: &mut Guard,
) -> Result<Bytes, HttpError> {
    check_length(request, max)?;
    let whole = tokio::time::timeout(PATIENCE, pieces(payload, max, under_way)).await;
    whole.unwrap_or_else(|_late| Err(HttpError::too_slow()))
}

async fn pieces(payload: &mut Payload, max: usize, under_way: &mut Guard) -> Result<Bytes, HttpError> {
    let mut body = BytesMut::new();
    while let Some(piece) = next(payload, under_way).await {
        let piece = piece.map_err(|_cut| HttpError::malformed_json())?;
        if body.len() + piece.len() > max {
            return Err(HttpError::too_large());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

async fn next(payload: &mut Payload, under_way: &mut Guard) -> Option<Result<Bytes, PayloadError>> {
    if let Ok(piece) = tokio::time::timeout(SILENT, payload.next()).await {
        return piece;
    }
    under_way.pause();
    let piece = payload.next().await;
    under_way.resume();
    piece
}
