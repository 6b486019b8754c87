//! Routes for health, documents and keys.

mod views;

use std::sync::Arc;

use actix_web::http::header::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kit::page::{DEFAULT_SIZE, MAX_SIZE};
use serde_json::{Value, json};
use utoipa_swagger_ui::Config;

use crate::http::context::{HandlerResult, RequestContext};
use crate::http::error::HttpError;
use crate::http::param::MAX_VALUES;
use crate::http::reply::Reply;
use crate::http::rule::Rule;

use views::CapabilitiesView;

#[rustfmt::skip] // a table: one rule in two or three lines
pub(crate) const RULES: &[Rule] = &[
    Rule::get("/capabilities/", &capabilities).id("get_capabilities").public()
        .data::<CapabilitiesView>().summary("Limits and versions"),
    Rule::get("/openapi.json/", &openapi).id("get_openapi").public()
        .other(&["application/json"]).summary("This document"),
    Rule::get("//.well-known/jwks.json/", &jwks).id("get_public_keys").public()
        .other(&["application/json"]).summary("The public keys of tokens"),
    Rule::get("//healthz/", &healthz).public()
        .other(&["application/json"]).summary("Alive"),
    Rule::get("//readyz/", &readyz).public()
        .other(&["application/json"]).summary("Ready to serve"),
    Rule::get("//docs/", &docs).public()
        .other(&["text/html"]).summary("The interactive page"),
    Rule::get("//docs/{asset}/", &docs).public()
        .other(&["text/html"]).summary("Assets of the interactive page"),
];

/// Allows the documentation page its own scripts and styles, and nothing from other origins.
const DOCS_POLICY: &str =
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

pub(crate) async fn healthz(_context: RequestContext) -> HandlerResult {
    Reply::json(200, &json!({ "alive": true }))
}

pub(crate) async fn readyz(context: RequestContext) -> HandlerResult {
    let (ready, body) = context.app.health.report(false);
    Reply::json(if ready { 200 } else { 503 }, &body)
}

pub(crate) async fn capabilities(_context: RequestContext) -> HandlerResult {
    let view = CapabilitiesView {
        version: env!("CARGO_PKG_VERSION"),
        default_page_size: DEFAULT_SIZE,
        max_page_size: MAX_SIZE,
        import_max_rows: 100_000,
        playlist_max_entries: 10_000,
        max_tenant_songs: 2_000_000,
        max_playlists: 500,
        max_open_song_requests: 200,
        max_idempotency_keys_a_day: 1_000,
        max_values: MAX_VALUES,
        access_token_seconds: 600,
    };
    Reply::data(200, "Capabilities.", &view)
}

pub(crate) async fn openapi(context: RequestContext) -> HandlerResult {
    Ok(Reply::other("application/json", context.app.openapi.to_vec()))
}

pub(crate) async fn jwks(context: RequestContext) -> HandlerResult {
    let keys: Vec<Value> = context
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

pub(crate) async fn docs(context: RequestContext) -> HandlerResult {
    let path = context.path("asset");
    if path.is_empty() && !context.request.path().ends_with('/') {
        // The page loads its assets by relative paths, so its own path must end with a slash.
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
