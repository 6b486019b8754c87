//! What the gateway refuses before it calls a service, in the order of the contract.

use crate::service::{Gateway, code};

const LOGIN: &str = "/api/v1/auth/super-admin/login/";

#[tokio::test]
async fn an_unknown_route_is_404_and_a_wrong_method_405_with_the_allowed_ones() {
    let gateway = Gateway::start().await;
    let unknown = gateway.send("GET", "/api/v1/nothing/").await;
    assert_eq!((unknown.status().as_u16(), code(unknown).await), (404, "not_found".to_owned()));
    let wrong = gateway.send("DELETE", "/api/v1/genres/").await;
    assert_eq!(wrong.headers()["allow"], "GET, POST, HEAD, OPTIONS");
    assert_eq!((wrong.status().as_u16(), code(wrong).await), (405, "method_not_allowed".to_owned()));
}

#[tokio::test]
async fn a_route_works_with_and_without_its_final_slash() {
    let gateway = Gateway::start().await;
    for path in ["/healthz", "/healthz/", "/api/v1/openapi.json", "/api/v1/capabilities/"] {
        assert_eq!(gateway.send("GET", path).await.status().as_u16(), 200, "{path}");
    }
}

#[tokio::test]
async fn a_body_is_refused_by_size_then_by_type_then_by_form() {
    let gateway = Gateway::start().await;
    let large = gateway.request("POST", LOGIN).header("content-type", "application/json").body("x".repeat(70_000));
    assert_eq!(code(large.send().await.unwrap()).await, "payload_too_large");
    let text = gateway.request("POST", LOGIN).header("content-type", "text/plain").body("{}");
    let text = text.send().await.unwrap();
    assert_eq!((text.status().as_u16(), code(text).await), (415, "unsupported_media_type".to_owned()));
    let deep = "[".repeat(17) + &"]".repeat(17);
    for body in ["{", "{} {}", &deep] {
        let request = gateway.request("POST", LOGIN).header("content-type", "application/json");
        let refused = request.body(body.to_owned()).send().await.unwrap();
        assert_eq!((refused.status().as_u16(), code(refused).await), (400, "malformed_json".to_owned()), "{body}");
    }
}

#[tokio::test]
async fn no_token_is_401_and_a_token_that_nobody_can_check_is_503() {
    let gateway = Gateway::start().await;
    let none = gateway.send("GET", "/api/v1/users/me/").await;
    assert_eq!(none.headers()["www-authenticate"], "Bearer");
    assert_eq!((none.status().as_u16(), code(none).await), (401, "not_authenticated".to_owned()));
    // {"typ":"at+jwt","alg":"EdDSA","kid":"unknown"}: the key may be a new one, and 401 would make the client sign out.
    let token = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSIsImtpZCI6InVua25vd24ifQ.e30.AAAA";
    let unknown = gateway.request("GET", "/api/v1/users/me/").bearer_auth(token).send().await.unwrap();
    assert_eq!((unknown.status().as_u16(), code(unknown).await), (503, "service_unavailable".to_owned()));
}

#[tokio::test]
async fn without_a_service_behind_it_the_gateway_is_alive_not_ready_and_answers_503_with_retry_after() {
    let gateway = Gateway::start().await;
    assert_eq!(gateway.send("GET", "/healthz").await.status().as_u16(), 200);
    assert_eq!(gateway.send("GET", "/readyz").await.status().as_u16(), 503);
    let body = r#"{"email":"root@songlist.example","password":"correct horse battery"}"#;
    let login = gateway.request("POST", LOGIN).header("content-type", "application/json").body(body);
    let refused = login.send().await.unwrap();
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!((refused.status().as_u16(), code(refused).await), (503, "service_unavailable".to_owned()));
}

#[tokio::test]
async fn an_error_is_a_problem_document_for_who_accepts_one() {
    let gateway = Gateway::start().await;
    let request = gateway.request("GET", "/api/v1/nothing/").header("accept", "application/problem+json");
    let problem = request.send().await.unwrap();
    assert_eq!(problem.headers()["content-type"], "application/problem+json");
    assert_eq!(code(problem).await, "not_found");
}
