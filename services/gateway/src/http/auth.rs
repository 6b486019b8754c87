//! Determines the caller and whether the request is allowed: token, revocations and rate limits, in one round trip to
//! Redis.

use std::net::IpAddr;
use std::time::Duration;

use actix_web::HttpRequest;
use kit::caller::{Actor, Caller, Idempotency, Role};
use ring::digest::{Context, SHA256};
use tokens::{Claims, REPLAY_WINDOW, TokenError};
use uuid::Uuid;

use crate::app::App;
use crate::http::error::HttpError;
use crate::http::rate::Rate;
use crate::http::rule::{Access, Rule};
use crate::revocations;

/// By how much the clocks of gateway and auth-service may differ.
const LEEWAY: Duration = Duration::from_secs(30);
/// The longest idempotency key, in characters.
const MAX_KEY: usize = 255;

/// The caller of a request, when the rule of the route allows the request.
pub(crate) async fn admit(
    app: &App,
    rule: &Rule,
    request: &HttpRequest,
    request_id: &str,
) -> Result<Caller, HttpError> {
    let claims = match rule.access {
        Access::Public => None,
        Access::Roles(_) => Some(claims_of(app, request).await?),
    };
    let network = client_network(app, request);
    let user = claims.as_ref().map(|claims| claims.user_id.to_string());
    let limits = rule.rate.limits(&network, user.as_deref(), app.config.limits.factor);
    let subjects = claims.as_ref().map(revocations::subjects).unwrap_or_default();
    let names: Vec<_> = subjects.iter().map(|(subject, _)| *subject).collect();
    let checked =
        app.redis.check_and_mark(&limits, &names, claims.as_ref().and_then(|claims| first_use(app, claims))).await;
    app.health.seen("redis", checked.is_ok());
    if let Some(claims) = &claims {
        let in_redis = checked.as_ref().ok().filter(|found| app.revocations.same_generation(&found.generation));
        let revoked = in_redis.is_some_and(|found| {
            let mut minima = found.revocations.iter().zip(&subjects);
            minima.any(|(min, (_, version))| min.is_some_and(|min| *version < min.0))
        });
        if revoked || app.revocations.revoked(&subjects) {
            return Err(HttpError::token_not_valid());
        }
        // When neither Redis nor the local copy has current revocations, it is not known whether the token was revoked.
        // Writes and administrators are refused then; a LISTENER may go on reading.
        if in_redis.is_none() && !app.revocations.fresh() && (rule.method.writes() || claims.role != Role::Listener) {
            return Err(kit::Error::unavailable(anyhow::anyhow!("no current knowledge of revocations")).into());
        }
    }
    let wait = checked.map_or_else(|_down| app.local_limits.check(&limits), |found| found.wait);
    if !wait.is_zero() {
        app.metrics.event("rate_limited");
        return Err(HttpError::rate_limited(wait, &limits));
    }
    let actor = claims.as_ref().and_then(Claims::actor).unwrap_or(Actor::Anonymous);
    if claims.as_ref().is_some_and(|claims| !rule.allows(claims.role)) {
        return Err(kit::Error::forbidden().into());
    }
    let user_agent = request.headers().get("user-agent").and_then(|value| value.to_str().ok());
    Ok(Caller {
        actor,
        request_id: request_id.to_owned(),
        client_net: Some(network),
        user_agent: user_agent.map(|text| text.chars().take(120).collect()),
        idempotency: None,
    })
}

/// The mark of a young access token: whoever has it has received the answer to its refresh, so that a replay of the
/// refresh token after this is no lost answer (TK-10).
fn first_use(app: &App, claims: &Claims) -> Option<(Uuid, Duration)> {
    let age = app.config.clock.now().timestamp() - claims.iat;
    let window = REPLAY_WINDOW + LEEWAY;
    (age < i64::try_from(window.as_secs()).ok()?).then_some((claims.jti, window * 2))
}

/// Charges a request to a path or method that no rule has. It is counted in this process: nothing else is asked for it.
pub(crate) fn charge_unknown(app: &App, request: &HttpRequest) -> Result<(), HttpError> {
    let limits = Rate::Unknown.limits(&client_network(app, request), None, app.config.limits.factor);
    let wait = app.local_limits.check(&limits);
    if wait.is_zero() { Ok(()) } else { Err(HttpError::rate_limited(wait, &limits)) }
}

async fn claims_of(app: &App, request: &HttpRequest) -> Result<Claims, HttpError> {
    let mut headers = request.headers().get_all("authorization");
    let header = headers.next().ok_or_else(HttpError::not_authenticated)?;
    // With two of them, a proxy in front might have read the other one.
    if headers.next().is_some() {
        return Err(HttpError::token_not_valid());
    }
    let text = header.to_str().map_err(|_bad| HttpError::token_not_valid())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(HttpError::token_not_valid)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(HttpError::token_not_valid());
    }
    match app.signing_keys.verify(token.trim()) {
        Ok(claims) => Ok(claims),
        Err(TokenError::Invalid | TokenError::Expired) => Err(HttpError::token_not_valid()),
        Err(TokenError::UnknownKey) => with_newer_keys(app, token.trim()).await,
    }
}

/// Verifies a token again that was signed with an unknown key, after reading the keys: the key may be a new one.
async fn with_newer_keys(app: &App, token: &str) -> Result<Claims, HttpError> {
    let fetched = app.signing_keys.refetch().await;
    match app.signing_keys.verify(token) {
        Ok(claims) => Ok(claims),
        // 401 would make the client sign out, although it is only unknown whether the token is valid.
        Err(TokenError::UnknownKey) if !fetched => {
            Err(kit::Error::unavailable(anyhow::anyhow!("the signing keys cannot be read")).into())
        }
        Err(_) => Err(HttpError::token_not_valid()),
    }
}

/// The client's network: /32 of an IPv4, /64 of an IPv6 address. X-Forwarded-For is read only when a trusted proxy has
/// sent it.
fn client_network(app: &App, request: &HttpRequest) -> String {
    let peer = request.peer_addr().map(|addr| addr.ip().to_canonical());
    let trusted = peer.is_some_and(|peer| app.config.trusted_proxies.iter().any(|network| network.contains(&peer)));
    let hops = if trusted { app.config.trusted_hops } else { 0 };
    let forwarded = || {
        // A proxy may add a header line of its own after the client's, so all lines are read as one list.
        let lines: Vec<&str> =
            request.headers().get_all("x-forwarded-for").filter_map(|line| line.to_str().ok()).collect();
        let header = lines.join(",");
        header.rsplit(',').nth(hops.checked_sub(1)?)?.trim().parse::<IpAddr>().ok()
    };
    // An IPv4 client of a port that is bound to [::] arrives as ::ffff:a.b.c.d.
    match forwarded().map(|ip| ip.to_canonical()).or(peer) {
        Some(IpAddr::V4(ip)) => ip.to_string(),
        Some(IpAddr::V6(ip)) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        None => "unknown".to_owned(),
    }
}

/// The idempotency key of a request, when its rule accepts one.
pub(crate) fn idempotency(rule: &Rule, request: &HttpRequest, body: &[u8]) -> Result<Option<Idempotency>, HttpError> {
    let Some(header) = request.headers().get("idempotency-key").filter(|_| rule.repeatable) else { return Ok(None) };
    let bad = || kit::Error::invalid("Idempotency-Key", "Send 1 to 255 visible ASCII characters.");
    let key = header.to_str().ok().filter(|key| !key.is_empty() && key.len() <= MAX_KEY).ok_or_else(bad)?;
    // White space and the order of members do not make another payload: serde_json sorts them.
    let payload = match serde_json::from_slice::<serde_json::Value>(body) {
        // Nothing from which a password could be guessed is kept; a repetition is then refused as a duplicate.
        Ok(value) if value.get("password").is_some_and(|password| !password.is_null()) => return Ok(None),
        Ok(value) => serde_json::to_vec(&value).map_err(kit::Error::internal)?,
        Err(_empty) => body.to_vec(),
    };
    let mut hash = Context::new(&SHA256);
    for part in [rule.method.name().as_bytes(), request.path().trim_end_matches('/').as_bytes(), &payload] {
        hash.update(part);
        hash.update(b"\0");
    }
    Ok(Some(Idempotency { key: key.to_owned(), request_hash: hex::encode(hash.finish()) }))
}
