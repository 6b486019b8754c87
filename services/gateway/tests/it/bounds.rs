//! What one client may cost the others: names that stay in memory, slow bodies, unknown paths.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::service::{Gateway, code};

#[tokio::test]
async fn sf_02_made_up_methods_are_one_label_and_limited() {
    let gateway = Gateway::start().await;
    let mut statuses = Vec::new();
    for n in 0..80 {
        statuses.push(gateway.send(&format!("M{n}{}", "A".repeat(2_000)), "/nope").await.status().as_u16());
    }
    assert!(statuses.contains(&404) && statuses.ends_with(&[429]), "{statuses:?}");
    let metrics = gateway.metrics().await;
    assert!(metrics.contains(r#"route="other -""#) && !metrics.contains("AAAA"), "{metrics}");
}

#[tokio::test]
async fn sf_34_and_rl_03_unknown_paths_are_limited_and_the_limit_says_its_size() {
    let gateway = Gateway::start().await;
    let mut limited = None;
    for _ in 0..80 {
        let answer = gateway.send("GET", "/api/v1/nothing/").await;
        if answer.status().as_u16() == 429 {
            limited = Some(answer);
            break;
        }
    }
    let limited = limited.unwrap();
    assert_eq!(limited.headers()["ratelimit-policy"], r#""net";q=60;w=60"#);
    assert_eq!(limited.headers()["cache-control"], "no-store");
    assert!(limited.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn sf_24_a_body_that_does_not_arrive_is_cut() {
    let gateway = Gateway::start().await;
    let mut slow = TcpStream::connect(gateway.addr()).await.unwrap();
    let head = "POST /api/v1/auth/super-admin/login/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{";
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 1_024];
    let read = tokio::time::timeout(Duration::from_secs(15), slow.read(&mut answer)).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(text.starts_with("HTTP/1.1 400") && text.contains("body_too_slow"), "{text}");
}

#[tokio::test]
async fn sf_27_two_tokens_are_none() {
    let gateway = Gateway::start().await;
    let twice = gateway.request("GET", "/api/v1/users/me/").header("authorization", "Bearer a").bearer_auth("b");
    let refused = twice.send().await.unwrap();
    assert_eq!((refused.status().as_u16(), code(refused).await), (401, "token_not_valid".to_owned()));
}

#[tokio::test]
async fn sf_28_an_array_is_no_body() {
    let gateway = Gateway::start().await;
    for body in [r#"["mail",null,"password"]"#, r#"{"email":"a","email":"b","password":"c"}"#] {
        let request =
            gateway.request("POST", "/api/v1/auth/super-admin/login/").header("content-type", "application/json");
        let refused = request.body(body).send().await.unwrap();
        assert_eq!((refused.status().as_u16(), code(refused).await), (400, "malformed_json".to_owned()), "{body}");
    }
}

#[tokio::test]
async fn cf_02_options_says_which_methods_a_path_has() {
    let gateway = Gateway::start().await;
    let options = gateway.send("OPTIONS", "/api/v1/genres/").await;
    assert_eq!(options.status().as_u16(), 204);
    assert_eq!(options.headers()["allow"], "GET, POST, HEAD, OPTIONS");
}

#[tokio::test]
async fn cf_09_the_kind_of_an_error_is_the_one_that_the_client_prefers() {
    let gateway = Gateway::start().await;
    for (accept, kind) in [
        ("application/json, application/problem+json;q=0.5", "application/json"),
        ("application/problem+json, application/json;q=0.9", "application/problem+json"),
        ("*/*", "application/json"),
    ] {
        let answer = gateway.request("GET", "/api/v1/nothing/").header("accept", accept).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], kind, "{accept}");
    }
}

#[tokio::test]
async fn sf_06_clients_of_ipv4_are_told_apart_on_a_port_of_ipv6() {
    let gateway = Gateway::start_on("[::]:0").await;
    let mut refused = 0;
    for _ in 0..70 {
        refused += u32::from(gateway.send_to("127.0.0.1", "/nope").await == 429);
    }
    assert!(refused > 0, "this client is beyond its limit");
    assert_eq!(gateway.send_to("127.0.0.2", "/nope").await, 404, "another address is another client");
}

#[tokio::test]
async fn rl_02_a_limit_holds_over_two_gateways() {
    let redis = testkit::redis().await.unwrap();
    let one = Gateway::start_with("127.0.0.1:0", redis.clone()).await;
    let other = Gateway::start_with("127.0.0.1:0", redis).await;
    let mut passed = 0;
    for n in 0..150 {
        let gateway = if n % 2 == 0 { &one } else { &other };
        let ask =
            gateway.request("POST", "/api/v1/auth/super-admin/password-reset/").body(r#"{"email":"a@b.example"}"#);
        let answer = ask.header("content-type", "application/json").send().await.unwrap();
        // No auth-service is behind them: what the limit lets through is 503.
        passed += u32::from(answer.status().as_u16() != 429);
    }
    // 60 a minute, and one more for each second that the test takes.
    assert!((54..=75).contains(&passed), "{passed}");
}

#[tokio::test]
async fn rl_05_forged_forwarding_headers_make_nobody_another_client() {
    let gateway = Gateway::start().await;
    let mut last = 0;
    for n in 0..80_u8 {
        let request = gateway
            .request("GET", "/api/v1/nothing/")
            .header("x-forwarded-for", format!("203.0.113.{n}"))
            .header("x-real-ip", format!("203.0.113.{n}"))
            .header("forwarded", format!("for=203.0.113.{n}"));
        last = request.send().await.unwrap().status().as_u16();
    }
    assert_eq!(last, 429);
}
