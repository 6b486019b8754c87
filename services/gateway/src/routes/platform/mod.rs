use std::sync::Arc;

use actix_web::http::header::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kit::page::{DEFAULT_SIZE, MAX_SIZE};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_swagger_ui::Config;

use crate::http::context::{Answered, Cx};
use crate::http::error::HttpError;
use crate::http::reply::Reply;

/// The page's own scripts and styles, and nothing from elsewhere.
const DOCS_POLICY: &str =
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

pub(crate) async fn healthz(_cx: Cx) -> Answered {
    Reply::json(200, &json!({ "alive": true }))
}

pub(crate) async fn readyz(cx: Cx) -> Answered {
    let (ready, body) = cx.app.health.report(false);
    Reply::json(if ready { 200 } else { 503 }, &body)
}

/// Limits and versions a client may want to know.
#[derive(Serialize, ToSchema)]
pub(crate) struct CapabilitiesView {
    version: &'static str,
    default_page_size: u32,
    max_page_size: u32,
    import_max_rows: u32,
    playlist_max_entries: u32,
    access_token_seconds: u32,
}

pub(crate) async fn capabilities(_cx: Cx) -> Answered {
    let view = CapabilitiesView {
        version: env!("CARGO_PKG_VERSION"),
        default_page_size: DEFAULT_SIZE,
        max_page_size: MAX_SIZE,
        import_max_rows: 100_000,
        playlist_max_entries: 10_000,
        access_token_seconds: 600,
    };
    Reply::data(200, "Capabilities.", &view)
}

pub(crate) async fn openapi(cx: Cx) -> Answered {
    Reply::json(200, &crate::policy::openapi_document(&cx.app.config.public_url))
}

pub(crate) async fn jwks(cx: Cx) -> Answered {
    let keys: Vec<Value> = cx
        .app
        .signing_keys
        .current()
        .iter()
        .map(|key| {
            let x = URL_SAFE_NO_PAD.encode(&key.x);
            json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.kid, "x": x })
        })
        .collect();
    Ok(Reply::json(200, &json!({ "keys": keys }))?
        .header("cache-control", HeaderValue::from_static("public, max-age=300")))
}

pub(crate) async fn docs(cx: Cx) -> Answered {
    let path = cx.path("asset");
    if path.is_empty() && !cx.request.path().ends_with('/') {
        // The page names its assets beside itself.
        let html = "<!doctype html><meta http-equiv=\"refresh\" content=\"0; url=/docs/\">";
        return Ok(Reply::other("text/html; charset=utf-8", html.into()));
    }
    let config = Arc::new(Config::from("/api/v1/openapi.json"));
    let file =
        utoipa_swagger_ui::serve(&path, config).map_err(|error| kit::Error::internal(anyhow::anyhow!("{error}")))?;
    let file = file.ok_or_else(HttpError::route_not_found)?;
    let content_type = match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("png") => "image/png",
        Some("json" | "map") => "application/json",
        _ => "text/html; charset=utf-8",
    };
    Ok(Reply::other(content_type, file.bytes.into_owned())
        .header("content-security-policy", HeaderValue::from_static(DOCS_POLICY))
        .header("cache-control", HeaderValue::from_static("public, max-age=3600")))
}
