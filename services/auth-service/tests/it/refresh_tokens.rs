//! Rotation of refresh tokens. How the gateway treats an ended session is tested in the system suite.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kit::Code;

use crate::service::{Auth, code};

#[tokio::test]
async fn tk_09_and_cf_07_parallel_refreshes_of_one_token_are_all_answered_with_one_successor() {
    let auth = Arc::new(Auth::start().await);
    let first = auth.signed_in().await.refresh;
    let refreshes: Vec<_> = (0..40)
        .map(|_| {
            let (auth, first) = (auth.clone(), first.clone());
            tokio::spawn(async move { auth.refresh(&first).await.map(|tokens| tokens.refresh).ok() })
        })
        .collect();
    let mut successors = Vec::new();
    for refresh in refreshes {
        successors.extend(refresh.await.unwrap());
    }
    successors.sort();
    assert_eq!(successors.len(), 40, "every one is answered");
    successors.dedup();
    assert_eq!(successors.len(), 1, "every parallel refresh gets the same successor");
}

#[tokio::test]
async fn tk_10_a_refresh_whose_answer_was_lost_gets_the_same_successor_again() {
    let auth = Auth::start().await;
    let first = auth.signed_in().await.refresh;
    let (answer, again) = (auth.refresh(&first).await.unwrap(), auth.refresh(&first).await.unwrap());
    assert_eq!(answer.refresh, again.refresh);
    auth.clock.advance(std::time::Duration::from_secs(61));
    assert_eq!(code(auth.refresh(&first).await.unwrap_err()), Code::TokenReused, "not after a minute");
}

#[tokio::test]
async fn tk_11_a_replay_after_the_successor_was_used_ends_the_session() {
    let auth = Auth::start().await;
    let first = auth.signed_in().await.refresh;
    let second = auth.refresh(&first).await.unwrap().refresh;
    let third = auth.refresh(&second).await.unwrap().refresh;
    assert_eq!(code(auth.refresh(&first).await.unwrap_err()), Code::TokenReused);
    assert_eq!(code(auth.refresh(&third).await.unwrap_err()), Code::TokenNotValid, "the whole session has ended");
    let audited = testkit::schema::count(auth.db(), "audit_events WHERE action = 'token_reuse'").await.unwrap();
    assert_eq!(audited, 1);
    auth.mailbox.wait_for(crate::service::EMAIL, "session").await;
}

#[tokio::test]
async fn tk_12_a_refresh_looks_at_the_user_as_it_is_now() {
    let auth = Auth::start().await;
    let token = auth.signed_in().await.refresh;
    let superuser = kit_pg::bootstrap::open(auth.db().admin_url()).await.unwrap();
    let set = async |change: &str| {
        superuser.execute(&format!("UPDATE {}.users SET {change}", auth.db().schema), &[]).await.unwrap();
    };
    for (gone, back) in [
        ("is_active = false", "is_active = true"),
        ("is_verified = false", "is_verified = true"),
        ("deleted_at = now()", "deleted_at = NULL"),
        ("token_version = token_version + 1", "token_version = token_version - 1"),
    ] {
        set(gone).await;
        assert_eq!(auth.refresh(&token).await.map_err(code).unwrap_err(), Code::TokenNotValid, "{gone}");
        set(back).await;
    }
    auth.refresh(&token).await.unwrap();
}

#[tokio::test]
async fn a_session_is_renewed_thirty_times_a_minute_at_most() {
    let auth = Auth::start().await;
    let mut token = auth.signed_in().await.refresh;
    let mut renewed = 0;
    let refused = loop {
        match auth.refresh(&token).await {
            Ok(next) => (token, renewed) = (next.refresh, renewed + 1),
            Err(refused) => break code(refused),
        }
    };
    assert!(refused == Code::RateLimited && (30..40).contains(&renewed), "{renewed} {refused:?}");
    auth.clock.advance(std::time::Duration::from_secs(3));
    auth.refresh(&token).await.unwrap();
}

#[tokio::test]
async fn tk_06_a_session_ends_after_thirty_days_however_often_it_is_refreshed() {
    let auth = Auth::start().await;
    let mut tokens = auth.signed_in().await;
    let mut hours = 0;
    loop {
        assert!(tokens.expires_in <= 900 && tokens.refresh_expires_in <= 172_800);
        auth.clock.advance(std::time::Duration::from_secs(36 * 3_600));
        hours += 36;
        match auth.refresh(&tokens.refresh).await {
            Ok(next) => tokens = next,
            Err(refused) => break assert_eq!(code(refused), Code::TokenNotValid),
        }
        assert!(hours < 31 * 24, "it lives for ever");
    }
    assert!(hours >= 29 * 24, "{hours} hours");
}

#[tokio::test]
async fn tk_08_a_token_holds_no_name_and_no_address() {
    let auth = Auth::start().await;
    let tokens = auth.signed_in().await;
    for token in [tokens.access, tokens.refresh] {
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let text = String::from_utf8(claims).unwrap();
        assert!(text.contains("user_id") && !text.contains('@') && !text.contains("root"), "{text}");
    }
}

#[tokio::test]
async fn a_client_is_told_how_long_its_tokens_live() {
    let auth = Auth::start().await;
    let pair = auth.signed_in().await;
    for (token, told) in [(&pair.access, pair.expires_in), (&pair.refresh, pair.refresh_expires_in)] {
        let claims: serde_json::Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap();
        let lives = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert!((lives - i64::from(told)).abs() <= 1, "{lives} {told}");
    }
    assert!(pair.refresh_expires_in > pair.expires_in && pair.expires_in >= 60);
}
