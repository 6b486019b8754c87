//! What is secret is in no log, at any level, of any service.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::dev::{Dev, text};

const SERVICES: [&str; 5] =
    ["gateway.log", "auth-service.log", "songlist-service.log", "payments-service.log", "scheduler-service.log"];

/// What a server answers over plain HTTP.
fn read(url: &str, path: &str) -> String {
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// A JSON document over plain HTTP.
fn get(url: &str, path: &str) -> Value {
    serde_json::from_str(&read(url, path)).unwrap()
}

/// Every code of six digits that was mailed.
fn codes(mailbox: &str) -> Vec<String> {
    let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).unwrap().to_owned();
    let messages = get(mailbox, "/api/v1/messages?limit=200");
    let ids = messages.get("messages").and_then(Value::as_array).unwrap().iter().map(|mail| text(mail, "ID"));
    let texts = ids.map(|id| text(&get(mailbox, &format!("/api/v1/message/{id}")), "Text"));
    let words = |text: String| text.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_owned).collect::<Vec<_>>();
    texts.flat_map(words).filter(|word| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit())).collect()
}

/// Where a text stands by itself and not within a longer number, such as the fraction of a second.
fn stands_in(log: &str, secret: &str) -> bool {
    log.match_indices(secret).any(|(at, _)| {
        let before = log.get(..at).and_then(|text| text.chars().next_back()).unwrap_or(' ');
        let after = log.get(at + secret.len()..).and_then(|text| text.chars().next()).unwrap_or(' ');
        !(before.is_ascii_alphanumeric() || before == '.' || after.is_ascii_alphanumeric())
    })
}

/// A request over a plain connection, with whatever bytes it is made of.
fn send(url: &str, request: &str) {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn lg_03_nothing_that_is_sent_makes_a_line_or_a_colour_of_its_own_in_a_log_and_lg_05_no_address_stands_in_one() {
    let dev = Dev::start_with(&[("LOG_LEVEL", "debug"), ("LOG_FORMAT", "json")]);
    dev.table();
    assert!(dev.run(&["demo"]).status.success());
    let gateway = dev.demo_json()["urls"]["gateway"].as_str().unwrap().trim_end_matches("/api/v1").to_owned();
    let forged = "%0d%0a{\"level\":\"ERROR\",\"forged\":true}";
    let body = r#"{"email":"a\r\n\u001b[31mforged@x.example","password":"\u001b[31mforged\r\nforged"}"#;
    for (path, agent) in [(format!("/api/v1/songs/{forged}/"), "x"), ("/api/v1/health/".to_owned(), "\u{1b}[31mforged")]
    {
        send(
            &gateway,
            &format!(
                "GET {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: {agent}\r\nX-Request-Id: {forged}\r\nConnection: close\r\n\r\n"
            ),
        );
    }
    let head = "POST /api/v1/auth/super-admin/login/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close";
    send(&gateway, &format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    let mut lines = 0;
    for name in SERVICES {
        for line in std::fs::read_to_string(dev.folder.join("log").join(name)).unwrap().lines() {
            let event: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{name}: {line}"));
            assert!(event.get("forged").is_none() && !line.contains('\u{1b}'), "{name}: {line}");
            // Where a service listens is no address of a client.
            let listens = line.contains("listen") || line.contains("addr") || event.get("replica").is_some();
            assert!(listens || !line.contains("\"127.0.0.1"), "{name}: {line}");
            lines += 1;
        }
    }
    assert!(lines > 30, "{lines} lines were logged");
}

#[test]
fn lg_02_and_sf_05_no_password_code_token_or_address_is_in_any_metric_or_log_at_the_lowest_level() {
    let dev = Dev::start_with(&[("LOG_LEVEL", "trace")]);
    dev.table();
    let played = dev.run(&["demo"]);
    assert!(played.status.success(), "{}", text(&played));
    keeps_secrets(&dev);
}

/// No log of a running stack and no metric holds a password, a code, a token or an address of its people.
pub(crate) fn keeps_secrets(dev: &Dev) {
    let demo = dev.demo_json();
    let text = |of: &Value, pointer: &str| of.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
    let codes = codes(&text(&demo, "/urls/mailbox"));
    assert!(codes.len() >= 3, "{} codes were mailed", codes.len());
    let logins = demo.pointer("/logins").and_then(Value::as_array).unwrap().iter();
    let known: Vec<String> = logins.flat_map(|login| [text(login, "/password"), text(login, "/email")]).collect();
    let razorpay = [text(&demo, "/razorpay/key_secret"), text(&demo, "/razorpay/webhook_secret")];
    let logs = SERVICES.map(|name| (name, std::fs::read_to_string(dev.folder.join("log").join(name)).unwrap()));
    let lines: usize = logs.iter().map(|(_, log)| log.lines().count()).sum();
    let metrics: Vec<_> = dev.ops_urls().into_iter().map(|(name, url)| (name, read(&url, "/metrics"))).collect();
    let told = metrics.iter().filter(|(_, text)| text.contains("# TYPE")).count();
    assert!(metrics.len() == 5 && told >= 4, "{told} of {} services have metrics", metrics.len());
    for (name, log) in logs.iter().chain(&metrics) {
        for secret in known.iter().chain(&razorpay).map(String::as_str).chain(["eyJ", "correct horse", "_rw_dev"]) {
            assert!(!log.contains(secret), "{name} contains {secret}");
        }
        for code in &codes {
            assert!(!stands_in(log, code), "{name} contains a code that was mailed");
        }
    }
    assert!(lines > 60, "{lines} lines were logged");
}
