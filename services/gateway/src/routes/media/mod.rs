//! Images. Their names cannot be guessed and what they show never changes, so they need no token and stay in caches.

use actix_web::http::header::HeaderValue;
use proto::songlist as pb;

use crate::http::context::{HandlerResult, RequestContext};
use crate::http::rate::Rate;
use crate::http::reply::Reply;
use crate::http::rule::Rule;

#[rustfmt::skip] // a table: one rule in two or three lines
pub(crate) const RULES: &[Rule] = &[
    Rule::get("//media/{name}/", &get).id("get_media").public().rate(Rate::Read)
        .other(&["image/jpeg", "image/png"]).summary("An image"),
];

/// A year: the most that RFC 9111 expects caches to take seriously.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

pub(crate) async fn get(context: RequestContext) -> HandlerResult {
    let name = context.path("name");
    let kind = if name.ends_with(".png") { "image/png" } else { "image/jpeg" };
    let found = context.app.peers.media().get(context.grpc_request(pb::GetMediaRequest { name })).await?.into_inner();
    Ok(Reply::other(kind, found.content).header("cache-control", FOREVER))
}
