//! Everything that a request can carry is fed with values that nobody would send in good faith: no answer is a fault of
//! ours, none is slow, and what is refused leaves no row.

use std::time::{Duration, Instant};

use devstack::world::FullTenant;
use devstack::{Client, World};
use gateway::{Access, Body, Rule, rules};
use kit::caller::Role;
use reqwest::header::HeaderValue;
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};

/// No answer takes longer, also on a debug build beside other tests.
const SLOW: Duration = Duration::from_secs(2);

/// The tables in which a refused request must leave nothing. What is written because a request was refused (audit,
/// counted guesses) and what workers write later (codes, outbox, inbox) is not among them.
const AUTH: &[&str] =
    &["users", "registrations", "tenants", "sessions", "refresh_tokens", "challenges", "idempotency_keys"];
const SONGLIST: &[&str] =
    &["genres", "songs", "tenant_songs", "playlists", "playlist_entries", "song_requests", "idempotency_keys"];
const PAYMENTS: &[&str] =
    &["payments", "payment_changes", "subscriptions", "webhook_events", "idempotency_keys", "ledger_lines", "receipts"];

fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "\t\n\r",
        "a\0b",
        "\u{7}\u{1b}[31m",
        "\u{202e}\u{200b}\u{feff}",
        "' OR 1=1 -- \"\\",
        "%_%",
        "<script>{{7*7}}${jndi:ldap://x}",
        "=cmd|' /C calc'!A0",
        "../../etc/passwd",
        "null",
        "-1",
        "1e309",
        "18446744073709551616",
        "00000000-0000-0000-0000-000000000000",
        "2026-13-45T99:99:99Z",
        "١٢٣",
        "ﷺ कल कुल 東京事変",
        "🎵👩‍👩‍👧‍👧 e\u{301} İ",
        "title,-created_at",
    ]
    .map(str::to_owned)
    .into();
    texts.extend([256, 10_000].map(|size| "x".repeat(size)));
    texts.push("\u{301}".repeat(5_000));
    texts
}

fn values() -> Vec<Value> {
    let mut deep = json!(1);
    for _ in 0..14 {
        deep = json!([deep]);
    }
    let many: Vec<Value> = (0..2_000).map(|n| json!(n.to_string())).collect();
    let mut values = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e308),
        json!(u64::MAX),
        json!(i64::MIN),
        json!([]),
        json!({}),
        json!([null]),
        json!([[[]]]),
        json!({ "a": { "b": [] } }),
        json!(many),
        deep,
    ];
    values.extend(texts().into_iter().map(Value::from));
    values
}

/// Headers that reach our code. A value that HTTP itself forbids is refused by every client and server.
const HEADERS: &[&str] = &[
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-request-id",
    "traceparent",
    "tracestate",
    "accept-language",
    "cookie",
    "origin",
    "referer",
    "user-agent",
    "x-forwarded-for",
    "forwarded",
    "x-razorpay-signature",
    "x-razorpay-event-id",
    "range",
    "x-user-id",
    "x-tenant-id",
    "x-http-method-override",
];
/// Headers that decide whether the others are read, so each is sent alone.
const DECISIVE: &[&str] = &["content-type", "content-encoding", "accept", "authorization"];

struct Probe<'a> {
    world: &'a World,
    own: &'a FullTenant,
    database: tokio_postgres::Client,
    sql: String,
    /// The rows of these tables after the last write.
    rows: Vec<i64>,
    sent: usize,
}

impl<'a> Probe<'a> {
    async fn new(world: &'a World, own: &'a FullTenant) -> Self {
        let db = &world.stack.db;
        let counts: Vec<String> = [(&db.auth, AUTH), (&db.songlist, SONGLIST), (&db.payments, PAYMENTS)]
            .iter()
            .flat_map(|(db, tables)| tables.iter().map(|table| format!("(SELECT count(*) FROM {}.{table})", db.schema)))
            .collect();
        let database = kit_pg::bootstrap::open(world.stack.db.auth.admin_url()).await.unwrap();
        let sql = format!("SELECT ARRAY[{}]", counts.join(","));
        let mut probe = Self { world, own, database, sql, rows: Vec::new(), sent: 0 };
        probe.rows = probe.count().await;
        probe
    }

    async fn count(&self) -> Vec<i64> {
        self.database.query_one(&self.sql, &[]).await.unwrap().get(0)
    }

    fn client(&self, rule: &Rule) -> Client {
        match rule.access {
            Access::Public => self.world.client(),
            _ if rule.allows(Role::Admin) => self.own.admin.client.clone(),
            _ => self.world.root.client.clone(),
        }
    }

    fn path(&self, rule: &Rule) -> String {
        let id = match rule.path {
            path if path.starts_with("/playlists/") => &self.own.playlist,
            path if path.starts_with("/tenant/songs/") => &self.own.link,
            path if path.starts_with("/song-requests/") => &self.own.request,
            path if path.starts_with("/songs/") => &self.own.song,
            path if path.starts_with("/users/") => &self.own.listener.id,
            path if path.starts_with("/genres/") => &self.own.genre,
            // A payment that was refunded would not stay as it is while others are tried.
            "/payments/{id}/refund/" => &self.own.playlist,
            path if path.starts_with("/payments/") => &self.own.payment,
            _ => &self.own.tenant.id,
        };
        let link = &self.own.link;
        rule.path.replace("{tenant}", &self.own.tenant.slug).replace("{tenant_song_id}", link).replace("{id}", id)
    }

    /// Sends a request and checks its answer; `what` names it when it fails.
    async fn send(&mut self, rule: &Rule, request: RequestBuilder, what: &str) {
        let begun = Instant::now();
        let answer = self.client(rule).send(request).await.unwrap_or_else(|error| panic!("{what}: {error:#}"));
        let took = begun.elapsed();
        self.sent += 1;
        assert!(answer.status < 500, "{what}: {} {}", answer.status, answer.text);
        assert!(took < SLOW, "{what}: {took:?}");
        // Reads have no statement that could write.
        if rule.method.name() != "GET" {
            let rows = self.count().await;
            assert!(
                answer.status < 400 || rows == self.rows,
                "{what}: a row was written and the answer is {}",
                answer.text
            );
            self.rows = rows;
        }
    }

    fn request(&self, rule: &Rule, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(rule.method.name().as_bytes()).unwrap();
        self.client(rule).request(method, path)
    }

    /// Every query parameter, alone and repeated, and one that is not known.
    async fn queries(&mut self, rule: &Rule) {
        let unknown = [("made-up", 3), ("page[]", 3), ("__proto__", 3)];
        for (name, most) in rule.params().map(|param| (param.name, usize::MAX)).chain(unknown) {
            for text in texts().into_iter().filter(|text| text.len() <= 10_000).take(most) {
                let request = self.request(rule, &self.path(rule)).query(&[(name, &text)]);
                self.send(rule, request, &format!("{} ?{name}={:.40}", rule.id, text.escape_debug())).await;
            }
            let request = self.request(rule, &self.path(rule)).query(&vec![(name, "a"); 50]);
            self.send(rule, request, &format!("{} with {name} fifty times", rule.id)).await;
        }
        for raw in ["%ff", "a=%", "a=%zz", "=", "&&&", "q=a+b%2", "?", "q=%00", "%00=%00"] {
            let path = format!("{}?{raw}", self.path(rule));
            self.send(rule, self.request(rule, &path), &format!("{} ?{raw}", rule.id)).await;
        }
    }

    /// Every field of a JSON body, with the others as in the example of the document.
    async fn fields(&mut self, rule: &Rule, schema: &Value) {
        let example = schema.pointer("/examples/0").and_then(Value::as_object).cloned().unwrap();
        let fields = schema.get("properties").and_then(Value::as_object).unwrap();
        let path = self.path(rule);
        let others = [("id", 6), ("role", 6), ("tenant_id", 6), ("is_verified", 6), ("__proto__", 6)];
        for (name, most) in fields.keys().map(|name| (name.as_str(), usize::MAX)).chain(others) {
            for value in values().into_iter().take(most) {
                let mut body = example.clone();
                body.insert(name.to_owned(), value.clone());
                let what = format!("{} {name}={:.60}", rule.id, value.to_string());
                self.send(rule, self.request(rule, &path).json(&body), &what).await;
            }
        }
        self.bodies(rule, &example).await;
    }

    /// Bodies that are no objects, or not what they say.
    async fn bodies(&mut self, rule: &Rule, example: &Map<String, Value>) {
        let path = self.path(rule);
        let good = json!(example).to_string();
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let twice = good.replacen('{', r#"{"name":"a","name":"b","title":"c","title":"d","#, 1);
        let bodies =
            ["", "null", "[]", "\"text\"", "{", "{}", "{\"a\":1}{}", "\u{feff}{}", "{\"a\":NaN}", &deep, &twice];
        for body in bodies {
            let request = self.request(rule, &path).header("content-type", "application/json").body(body.to_owned());
            self.send(rule, request, &format!("{} with the body {body:.40}", rule.id)).await;
        }
        for kind in ["text/plain", "application/xml", "application/json; charset=utf-16", "multipart/form-data", "x"] {
            let request = self.request(rule, &path).header("content-type", kind).body(good.clone());
            self.send(rule, request, &format!("{} as {kind}", rule.id)).await;
        }
        let huge = self.request(rule, &path).json(&json!({ "name": "x".repeat(1_200_000) }));
        self.send(rule, huge, &format!("{} with a megabyte", rule.id)).await;
    }

    async fn headers(&mut self, rule: &Rule) {
        let path = self.path(rule);
        for text in texts().into_iter().filter(|text| text.len() <= 256) {
            let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { continue };
            let all = HEADERS.iter().fold(self.request(rule, &path), |request, name| request.header(*name, &value));
            self.send(rule, with_body(rule, all), &format!("{} with headers {:.40}", rule.id, text.escape_debug()))
                .await;
        }
        for name in DECISIVE {
            for text in
                ["", "x", "application/json; charset=utf-16", "gzip, gzip", "*/*;q=2", "Bearer ", "Bearer a.b.c", "é"]
            {
                let request =
                    self.request(rule, &path).header(*name, HeaderValue::from_bytes(text.as_bytes()).unwrap());
                self.send(rule, with_body(rule, request), &format!("{} with {name}: {text}", rule.id)).await;
            }
        }
    }

    async fn paths(&mut self, rule: &Rule) {
        for text in texts().into_iter().filter(|text| text.len() <= 2_000) {
            let segment: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let path =
                rule.path.replace("{tenant}", &segment).replace("{tenant_song_id}", &segment).replace("{id}", &segment);
            self.send(rule, with_body(rule, self.request(rule, &path)), &format!("{} at {path:.60}", rule.id)).await;
        }
    }
}

fn with_body(rule: &Rule, request: RequestBuilder) -> RequestBuilder {
    if rule.method.name() == "GET" { request } else { request.body("{}") }
}

fn schema_of<'a>(document: &'a Value, rule: &Rule) -> &'a Value {
    let operation = format!("/paths/{}/{}", rule.full_path().replace('/', "~1"), rule.method.name().to_lowercase());
    let pointer = format!("{operation}/requestBody/content/application~1json/schema/$ref");
    let schema = document.pointer(&pointer).and_then(Value::as_str).unwrap().trim_start_matches('#');
    document.pointer(schema).unwrap()
}

/// The rules that change what the probe itself needs.
fn ends_the_world(rule: &Rule) -> bool {
    matches!(rule.id, "deactivate_tenant" | "sign_out")
}

async fn probe(part: usize) {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let document = gateway::openapi_document("http://localhost");
    let mut probe = Probe::new(&world, &own).await;
    let all = rules().filter(|rule| !rule.id.is_empty() && !ends_the_world(rule));
    for rule in all.enumerate().filter(|(n, _)| n % PARTS == part).map(|(_, rule)| rule) {
        probe.queries(rule).await;
        probe.headers(rule).await;
        if rule.path.contains('{') {
            probe.paths(rule).await;
        }
        if matches!(rule.body, Body::Json(..)) {
            let schema = schema_of(&document, rule).clone();
            probe.fields(rule, &schema).await;
        }
    }
    assert!(probe.sent > 1_000, "{} requests", probe.sent);
    world.stop().await;
}

/// The rules are divided so that every core has something to do.
const PARTS: usize = 6;

#[tokio::test]
async fn hostile_values_of_the_first_sixth_of_the_rules_cause_no_fault_and_no_row() {
    probe(0).await;
}

#[tokio::test]
async fn hostile_values_of_the_second_sixth_of_the_rules_cause_no_fault_and_no_row() {
    probe(1).await;
}

#[tokio::test]
async fn hostile_values_of_the_third_sixth_of_the_rules_cause_no_fault_and_no_row() {
    probe(2).await;
}

#[tokio::test]
async fn hostile_values_of_the_fourth_sixth_of_the_rules_cause_no_fault_and_no_row() {
    probe(3).await;
}

#[tokio::test]
async fn hostile_values_of_the_fifth_sixth_of_the_rules_cause_no_fault_and_no_row() {
    probe(4).await;
}

#[tokio::test]
async fn hostile_values_of_the_last_sixth_of_the_rules_cause_no_fault_and_no_row() {
    probe(5).await;
}
