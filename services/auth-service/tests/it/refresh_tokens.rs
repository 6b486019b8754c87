//! Rotation of refresh tokens. How the gateway treats an ended session is tested in the system suite.

use std::sync::Arc;

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
}

#[tokio::test]
async fn tk_11_a_replay_after_the_successor_was_used_ends_the_session() {
    let auth = Auth::start().await;
    let first = auth.signed_in().await.refresh;
    let second = auth.refresh(&first).await.unwrap().refresh;
    let third = auth.refresh(&second).await.unwrap().refresh;
    assert_eq!(code(auth.refresh(&first).await.unwrap_err()), Code::TokenReused);
    assert_eq!(code(auth.refresh(&third).await.unwrap_err()), Code::TokenNotValid, "the whole session has ended");
}
