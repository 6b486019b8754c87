//! Rotation of the keys that sign tokens.

use std::time::Duration;

use auth_service::{App, Config, keys};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use kit::Secret;
use kit::caller::Caller;
use proto::auth::ListKeysRequest;
use proto::auth::keys_client::KeysClient;
use serde_json::Value;
use testkit::caller::call;
use testkit::eventually;

use crate::service::Auth;

/// The ids of the published keys, the oldest first.
async fn published(auth: &Auth) -> Vec<String> {
    let request = call(&Caller::system("gateway"), ListKeysRequest {});
    let keys = KeysClient::new(auth.gateway.clone()).list(request).await.unwrap().into_inner().keys;
    let mut ids: Vec<String> = keys.into_iter().map(|key| key.kid).collect();
    ids.sort();
    ids
}

/// The id of the key that signed a token.
fn signed_by(token: &str) -> String {
    let header = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap().get("kid").unwrap().as_str().unwrap().to_owned()
}

#[tokio::test]
async fn tk_16_a_new_key_is_published_before_it_signs_and_the_old_one_as_long_as_its_tokens_live() {
    let auth = Auth::start().await;
    let mut refresh = auth.signed_in().await.refresh;
    let old = signed_by(&refresh);
    let new = keys::rotate(&auth.operator).await.unwrap();
    assert!(keys::rotate(&auth.operator).await.is_err(), "one new key at a time");
    eventually("the new key is published", || async { (published(&auth).await.len() == 2).then_some(()) }).await;
    refresh = auth.refresh(&refresh).await.unwrap().refresh;
    assert_eq!(signed_by(&refresh), old, "readers of the keys may not know the new one yet");
    auth.clock.advance(Duration::from_secs(601));
    while signed_by(&refresh) == old {
        // Each token is used once, so that no refresh is a replay; a session is renewed thirty times a minute at most.
        auth.clock.advance(Duration::from_secs(2));
        refresh = auth.refresh(&refresh).await.unwrap().refresh;
    }
    assert_eq!(signed_by(&refresh), new, "who has a token of the old key stays signed in");
    assert_eq!(published(&auth).await.len(), 2, "access tokens of the old key are still valid");
    auth.clock.advance(Duration::from_secs(3 * 86_400));
    eventually("the old key is gone", || async { (published(&auth).await == [new.clone()]).then_some(()) }).await;
}

#[tokio::test]
async fn a_stolen_key_is_replaced_within_seconds_and_no_token_of_it_is_taken() {
    let auth = Auth::start().await;
    let refresh = auth.signed_in().await.refresh;
    let new = keys::replace_all(&auth.operator).await.unwrap();
    eventually("only the new key is published", || async { (published(&auth).await == [new.clone()]).then_some(()) })
        .await;
    assert!(auth.refresh(&refresh).await.is_err());
}

#[tokio::test]
async fn a_command_with_another_encryption_key_changes_nothing() {
    let auth = Auth::start().await;
    let refresh = auth.signed_in().await.refresh;
    let (own, new) = (auth.config.key_encryption_key.expose().to_owned(), "cd".repeat(32));
    let operator = async |keys: &str| {
        App::new(Config { key_encryption_key: Secret::new(keys), ..auth.config.clone() }).await.unwrap()
    };
    let stranger = operator(&new).await;
    assert!(keys::replace_all(&stranger).await.is_err() && keys::rotate(&stranger).await.is_err());
    let both = operator(&format!("{new},{own}")).await;
    assert_eq!(keys::reseal(&both).await.unwrap(), 1, "a list opens what an older key has sealed");
    assert_eq!(keys::reseal(&both).await.unwrap(), 0);
    assert!(auth.refresh(&refresh).await.is_ok());
}
