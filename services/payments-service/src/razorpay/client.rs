use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kit::{Clock, Secret};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use super::breaker::{Breaker, Outcome};
use super::entities::{GatewayPayment, GatewayRefund, Link};
use super::error::GatewayError;
use super::signature::{self, CallbackFields};
use crate::config::RazorpayConfig;

/// A link to be created.
#[derive(Clone, Debug)]
pub(crate) struct NewLink<'a> {
    pub amount_minor: i64,
    pub currency: &'a str,
    pub reference_id: &'a str,
    pub description: &'a str,
    /// Unix seconds.
    pub expire_by: i64,
    pub callback_url: &'a str,
}

/// A refund to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewRefund<'a> {
    /// The id of the payment at Razorpay.
    pub payment: &'a str,
    pub amount_minor: i64,
    /// The idempotency key; it is the refund's receipt too.
    pub key: &'a str,
    pub reference_id: &'a str,
}

/// The API client, with the secrets for the signatures of webhooks and callbacks.
pub(crate) struct Razorpay {
    http: reqwest::Client,
    base_url: String,
    key_id: String,
    key_secret: Secret,
    /// The current one and the one before it, which counts until this time, or for ever.
    webhook_secrets: Vec<(Secret, Option<DateTime<Utc>>)>,
    clock: Clock,
    breaker: Breaker,
    /// By how many seconds Razorpay's clock is ahead of this one.
    skew: AtomicI64,
    /// Until when no links are asked for, because the account has made as many as it may.
    no_links_until: Mutex<Option<DateTime<Utc>>>,
}

/// So long no links are asked for after Razorpay has refused one for the account's quota.
const NO_LINKS: TimeDelta = TimeDelta::hours(1);

impl Razorpay {
    /// # Errors
    /// When the HTTP client cannot be made.
    pub(crate) fn new(config: &RazorpayConfig, clock: Clock) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(2))
            .timeout(Duration::from_secs(8))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            http,
            base_url: config.base_url.trim_end_matches('/').to_owned(),
            key_id: config.key_id.clone(),
            key_secret: config.key_secret.clone(),
            webhook_secrets: std::iter::once((config.webhook_secret.clone(), None))
                .chain(
                    config.previous_webhook_secret.clone().map(|secret| (secret, config.previous_webhook_secret_until)),
                )
                .collect(),
            breaker: Breaker::new(clock.clone()),
            clock,
            skew: AtomicI64::new(0),
            no_links_until: Mutex::default(),
        })
    }

    /// The index of the webhook secret with which Razorpay has signed these raw bytes: 0 is the current one, 1 the
    /// previous one.
    pub(crate) fn signed_webhook(&self, body: &[u8], signature: &str) -> Option<usize> {
        let now = self.clock.now();
        self.webhook_secrets
            .iter()
            .position(|(secret, until)| until.is_none_or(|end| now < end) && signature::verify(secret, body, signature))
    }

    fn no_links_until(&self) -> Option<DateTime<Utc>> {
        *self.no_links_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True while Razorpay is not asked at all.
    pub(crate) fn is_paused(&self) -> bool {
        self.breaker.pause().is_some()
    }

    /// The time by Razorpay's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now() + TimeDelta::seconds(self.skew.load(Ordering::Relaxed))
    }

    /// True when Razorpay has signed the fields of a callback.
    pub(crate) fn signed_callback(&self, fields: &CallbackFields) -> bool {
        fields.verify(&self.key_secret)
    }

    /// Creates a payment link.
    ///
    /// # Errors
    /// See [`GatewayError`]; after `Unknown` the link may exist.
    pub(crate) async fn create_link(&self, new: &NewLink<'_>) -> Result<Link, GatewayError> {
        let body = json!({
            "amount": new.amount_minor,
            "currency": new.currency,
            "accept_partial": false,
            "reference_id": new.reference_id,
            "description": new.description,
            "expire_by": new.expire_by,
            "reminder_enable": false,
            "notify": { "sms": false, "email": false },
            "callback_url": new.callback_url,
            "callback_method": "get",
        });
        let rest = self.no_links_until().map(|end| end - self.clock.now()).filter(|rest| *rest > TimeDelta::zero());
        if let Some(rest) = rest {
            return Err(GatewayError::Paused(rest));
        }
        let answer = match self.call(Method::POST, "/payment_links", Some(&body)).await {
            Err(error) if error.is_quota() => {
                tracing::error!(alarm = "gateway_quota", "Razorpay makes no more payment links for this account");
                *self.no_links_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.clock.now() + NO_LINKS);
                return Err(GatewayError::Paused(NO_LINKS));
            }
            answer => answer?,
        };
        Link::read(&answer).ok_or_else(|| GatewayError::Unknown("a link without an id".to_owned()))
    }

    /// A link by id.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub(crate) async fn link(&self, id: &str) -> Result<Link, GatewayError> {
        let answer = self.call(Method::GET, &format!("/payment_links/{id}"), None).await?;
        Link::read(&answer).ok_or_else(|| GatewayError::Unknown("a link without an id".to_owned()))
    }

    /// The link with exactly this reference; Razorpay's list may also contain others.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub(crate) async fn link_by_reference(&self, reference: &str) -> Result<Option<Link>, GatewayError> {
        let answer = self.call(Method::GET, &format!("/payment_links?reference_id={reference}"), None).await?;
        let links = answer.get("payment_links").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(links.iter().filter_map(Link::read).find(|link| link.reference_id == reference))
    }

    /// All payments that were tried for an order.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub(crate) async fn payments_of_order(&self, order: &str) -> Result<Vec<GatewayPayment>, GatewayError> {
        let answer = self.call(Method::GET, &format!("/orders/{order}/payments"), None).await?;
        let items = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(items.iter().filter_map(GatewayPayment::read).collect())
    }

    /// A payment by id.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub(crate) async fn payment(&self, id: &str) -> Result<GatewayPayment, GatewayError> {
        let answer = self.call(Method::GET, &format!("/payments/{id}"), None).await?;
        GatewayPayment::read(&answer).ok_or_else(|| GatewayError::Unknown("a payment without an amount".to_owned()))
    }

    /// Cancels a link that is not paid; returns it.
    ///
    /// # Errors
    /// See [`GatewayError`]. A link that is paid, cancelled or expired is refused.
    pub(crate) async fn cancel_link(&self, id: &str) -> Result<Link, GatewayError> {
        let answer = self.call(Method::POST, &format!("/payment_links/{id}/cancel"), None).await?;
        Link::read(&answer).ok_or_else(|| GatewayError::Unknown("a link without an id".to_owned()))
    }

    /// Refunds a payment. The same key and body again have the same refund as their answer.
    ///
    /// # Errors
    /// See [`GatewayError`]; after `Unknown` the refund may exist.
    pub(crate) async fn refund(&self, new: &NewRefund<'_>) -> Result<GatewayRefund, GatewayError> {
        let body = json!({
            "amount": new.amount_minor,
            "speed": "normal",
            "receipt": new.key,
            "notes": { "reference_id": new.reference_id },
        });
        let request = self.request(Method::POST, &format!("/payments/{}/refund", new.payment)).json(&body);
        let answer = self.answer(request.header("x-refund-idempotency", new.key)).await?;
        GatewayRefund::read(&answer).ok_or_else(|| GatewayError::Unknown("a refund without an id".to_owned()))
    }

    /// All refunds of a payment.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub(crate) async fn refunds_of_payment(&self, payment: &str) -> Result<Vec<GatewayRefund>, GatewayError> {
        let answer = self.call(Method::GET, &format!("/payments/{payment}/refunds?count=100"), None).await?;
        let items = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(items.iter().filter_map(GatewayRefund::read).collect())
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, GatewayError> {
        let request = self.request(method, path);
        self.answer(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.base_url);
        self.http.request(method, url).basic_auth(&self.key_id, Some(self.key_secret.expose()))
    }

    /// The answer to a request, unless Razorpay must not be asked now.
    async fn answer(&self, request: RequestBuilder) -> Result<Value, GatewayError> {
        if let Some(pause) = self.breaker.pause() {
            return Err(GatewayError::Paused(pause));
        }
        let (outcome, answer) = self.send(request).await;
        match self.breaker.note(outcome) {
            Some(pause) => {
                tracing::error!(
                    alarm = "gateway_paused",
                    ?outcome,
                    seconds = pause.num_seconds(),
                    "Razorpay is not asked for a while"
                );
                // An unanswered request may have had its effect.
                if outcome == Outcome::Unanswered { answer } else { Err(GatewayError::Paused(pause)) }
            }
            None => answer,
        }
    }

    async fn send(&self, request: RequestBuilder) -> (Outcome, Result<Value, GatewayError>) {
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let reason = error.without_url();
                let text = reason.to_string();
                let error =
                    if reason.is_connect() { GatewayError::NotReached(text) } else { GatewayError::Unknown(text) };
                return (Outcome::Unanswered, Err(error));
            }
        };
        self.look_at_date(response.headers());
        let (status, pause) = (response.status(), retry_after(response.headers()));
        let answer = read(response).await;
        let outcome = match (status, &answer) {
            (StatusCode::UNAUTHORIZED, _) => Outcome::Unauthorised,
            // The account may make no more links; everything else goes on.
            (_, Err(error)) if error.is_quota() => Outcome::Answered,
            (StatusCode::TOO_MANY_REQUESTS, _) => Outcome::Throttled(pause),
            (_, Err(GatewayError::Unknown(_))) => Outcome::Unanswered,
            _ => Outcome::Answered,
        };
        (outcome, answer)
    }

    /// Takes note of how far the two clocks are apart, once it is more than a minute.
    fn look_at_date(&self, headers: &HeaderMap) {
        let date =
            headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(|d| DateTime::parse_from_rfc2822(d).ok());
        let Some(date) = date else { return };
        let skew = (date.to_utc() - self.clock.now()).num_seconds();
        let skew = if skew.abs() > 60 { skew } else { 0 };
        if self.skew.swap(skew, Ordering::Relaxed) == 0 && skew != 0 {
            tracing::error!(alarm = "clock_skew", seconds = skew, "this clock and Razorpay's are apart");
        }
    }
}

/// How long to wait, as an answer says it.
fn retry_after(headers: &HeaderMap) -> Option<TimeDelta> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    TimeDelta::try_seconds(seconds)
}

/// The JSON of an answer.
async fn read(response: Response) -> Result<Value, GatewayError> {
    let status = response.status();
    let text = response.text().await.map_err(|error| GatewayError::Unknown(error.without_url().to_string()))?;
    let value: Option<Value> = serde_json::from_str(&text).ok();
    if status.is_success() {
        return value.ok_or_else(|| GatewayError::Unknown("the answer is not JSON".to_owned()));
    }
    if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT {
        let part = |name: &str| {
            let found =
                value.as_ref().and_then(|value| value.pointer(&format!("/error/{name}"))).and_then(Value::as_str);
            found.unwrap_or("-").to_owned()
        };
        let reason = format!("{}: {}", part("code"), part("description"));
        return Err(GatewayError::Refused { status: status.as_u16(), reason });
    }
    Err(GatewayError::Unknown(format!("status {status}")))
}
