use std::time::Duration;

use anyhow::Context;
use reqwest::header::HeaderValue;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use testkit::canary::Secrets;

use crate::contract;

/// A client of the API.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    /// For a client of a test: every answer is held to the OpenAPI document and holds no secret of another one.
    strict: Option<Secrets>,
}

/// An answer: status, headers and the body as JSON (null when the body is not JSON).
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Reply {
    /// A value of the body by JSON pointer, such as `/data/id`.
    pub fn at(&self, pointer: &str) -> &Value {
        self.body.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// A text of the body by JSON pointer.
    ///
    /// # Errors
    /// When it is not there.
    pub fn text_at(&self, pointer: &str) -> anyhow::Result<String> {
        self.at(pointer)
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("no {pointer} in {} {}", self.status, self.text))
    }

    /// This reply, when it has the status.
    ///
    /// # Errors
    /// [`Unexpected`] for another one.
    pub fn expect(self, status: u16) -> anyhow::Result<Self> {
        if self.status == status { Ok(self) } else { Err(Unexpected { status, reply: self }.into()) }
    }
}

/// A reply with another status than the one expected.
#[derive(Debug)]
pub struct Unexpected {
    status: u16,
    pub reply: Reply,
}

impl std::fmt::Display for Unexpected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "expected {}, got {}: {}", self.status, self.reply.status, self.reply.text)
    }
}

impl std::error::Error for Unexpected {}

/// A signed-in person.
#[derive(Clone)]
pub struct Person {
    pub client: Client,
    pub refresh: String,
    pub id: String,
    pub email: String,
}

impl Client {
    /// A client of the gateway at `base`, such as `http://127.0.0.1:8000`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(base: &str) -> anyhow::Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The gateway closes connections that were idle for five seconds; one is not used in that moment.
        let idle = Duration::from_secs(2);
        let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).pool_idle_timeout(idle).build()?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), token: None, strict: None })
    }

    /// The same client, for which an answer is an error that the OpenAPI document does not have, or that holds one of the
    /// `secrets`.
    #[must_use]
    pub(crate) fn strict(self, secrets: Secrets) -> Self {
        Self { strict: Some(secrets), ..self }
    }

    /// The same client of another gateway.
    #[must_use]
    pub(crate) fn of(&self, base: &str) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), ..self.clone() }
    }

    /// The same client with a token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The access token, when this client has one.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// A request to a path under `/api/v1`, or to a whole URL.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else if let Some(root) = path.strip_prefix('/').filter(|rest| rest.starts_with('/')) {
            format!("{}{root}", self.base)
        } else {
            format!("{}/api/v1{path}", self.base)
        };
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When no answer came.
    pub async fn send(&self, request: RequestBuilder) -> anyhow::Result<Reply> {
        let request = request.build()?;
        let (method, url) = (request.method().clone(), request.url().clone());
        let sent = self.strict.as_ref().and_then(|_| request.body()?.as_bytes().map(<[u8]>::to_vec));
        let response = self.http.execute(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let reply = Reply { status: status.as_u16(), headers, body, text };
        if let Some(secrets) = &self.strict {
            secrets.exchanged(sent.as_deref(), reply.status, &reply.body, &reply.text)?;
            let kind = reply.headers.get("content-type").map(HeaderValue::as_bytes);
            let body = match kind {
                // Sent to clients that ask for it; the document describes the envelope.
                Some(b"application/problem+json") => None,
                Some(b"application/json") => Some(&reply.body),
                _ if reply.text.is_empty() || kind.is_some() => None,
                _ => anyhow::bail!("{method} {} answered a body without a type", url.path()),
            };
            contract::check(method.as_str(), url.path(), reply.status, &reply.headers, body)?;
        }
        Ok(reply)
    }

    /// # Errors
    /// When no answer came.
    pub async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        self.send(self.request(Method::GET, path)).await
    }

    /// # Errors
    /// When no answer came.
    pub async fn post(&self, path: &str, body: Value) -> anyhow::Result<Reply> {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    /// # Errors
    /// When no answer came.
    pub async fn patch(&self, path: &str, body: Value) -> anyhow::Result<Reply> {
        self.send(self.request(Method::PATCH, path).json(&body)).await
    }

    /// # Errors
    /// When no answer came.
    pub async fn delete(&self, path: &str) -> anyhow::Result<Reply> {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Polls the mailbox at `mailbox` (Mailpit's API) until there is a code for `address` that is not in `seen`;
    /// returns it.
    ///
    /// # Errors
    /// When none came within ten seconds.
    pub async fn mailed_code(&self, mailbox: &str, address: &str, seen: &[String]) -> anyhow::Result<String> {
        let search = format!("{mailbox}/api/v1/search?query=to:{}", address.to_lowercase().replace('+', "%2B"));
        for _ in 0..200 {
            let found = self.http.get(&search).send().await?.json::<Value>().await?;
            let newest = found.get("messages").and_then(Value::as_array).cloned().unwrap_or_default();
            for id in newest.iter().take(5).filter_map(|mail| mail.get("ID").and_then(Value::as_str)) {
                let mail =
                    self.http.get(format!("{mailbox}/api/v1/message/{id}")).send().await?.json::<Value>().await?;
                let text = mail.get("Text").and_then(Value::as_str).unwrap_or_default();
                let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
                let code = text.split(|c: char| !c.is_ascii_alphanumeric()).find(is_code);
                if let Some(code) = code.filter(|code| !seen.iter().any(|old| old == code)) {
                    return Ok(code.to_owned());
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("no code was mailed to {address}")
    }

    /// Signs in: password, then the mailed code. `root` is `/tenant/<slug>/auth` or `/auth/super-admin`.
    ///
    /// # Errors
    /// When a step fails.
    pub async fn sign_in(&self, root: &str, mailbox: &str, email: &str, password: &str) -> anyhow::Result<Person> {
        let before: Vec<String> = self.mailed_now(mailbox, email).await?;
        let started =
            self.post(&format!("{root}/login/"), json!({ "email": email, "password": password })).await?.expect(200)?;
        let challenge = started.text_at("/data/challenge_id")?;
        let otp = self.mailed_code(mailbox, email, &before).await?;
        let proof = json!({ "challenge_id": challenge, "otp": otp });
        let done = self.post(&format!("{root}/login/verify-otp/"), proof).await?.expect(200)?;
        Ok(Person {
            client: self.with_token(&done.text_at("/data/access")?),
            refresh: done.text_at("/data/refresh")?,
            id: done.text_at("/data/user/id")?,
            email: email.to_owned(),
        })
    }

    /// The codes that are in the mailbox now, so that a new one can be recognised.
    async fn mailed_now(&self, mailbox: &str, address: &str) -> anyhow::Result<Vec<String>> {
        let search = format!("{mailbox}/api/v1/search?limit=5&query=to:{}", address.to_lowercase().replace('+', "%2B"));
        let found = self.http.get(&search).send().await?.json::<Value>().await?;
        let snippets = found.get("messages").and_then(Value::as_array).cloned().unwrap_or_default();
        let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
        Ok(snippets
            .iter()
            .filter_map(|mail| mail.get("Snippet").and_then(Value::as_str))
            .filter_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()).find(is_code).map(str::to_owned))
            .collect())
    }

    /// True when the answer to `path` has this status; for use in a loop that waits.
    pub async fn has_status(&self, path: &str, status: StatusCode) -> bool {
        self.get(path).await.is_ok_and(|reply| reply.status == status.as_u16())
    }
}
