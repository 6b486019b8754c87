//! Who pays: what anybody may start uses up nothing that a sign-in needs.

use kit::{Code, Secret};

use crate::service::{Auth, EMAIL, PASSWORD, code};

#[tokio::test]
async fn sf_03_and_ot_12_guesses_at_resets_do_not_keep_the_owner_from_signing_in() {
    let auth = Auth::start().await;
    for n in 0..25 {
        auth.guess_at_a_reset(&format!("10.0.0.{n}")).await;
    }
    auth.signed_in().await;
}

#[tokio::test]
async fn sf_03_a_code_that_an_operator_was_shown_is_taken_whatever_was_guessed_before() {
    let auth = Auth::start().await;
    for n in 0..21 {
        let Ok(challenge) = auth.start_from(&format!("10.0.1.{n}"), EMAIL, PASSWORD).await else { break };
        for guess in 0..5 {
            let _ = auth.verify(&challenge, &format!("00000{guess}")).await;
        }
    }
    auth.clock.advance(std::time::Duration::from_secs(3_700));
    let challenge = auth.start_from("10.0.2.1", EMAIL, PASSWORD).await.unwrap();
    let shown = auth.superusers.otp(EMAIL).await.unwrap();
    auth.verify(&challenge, shown.expose()).await.unwrap();
}

#[tokio::test]
async fn sf_11_and_ot_14_a_reset_by_the_operator_ends_a_sign_in_that_was_begun_with_the_old_password() {
    let auth = Auth::start().await;
    let (challenge, otp) = auth.challenge().await;
    auth.superusers.reset_password(EMAIL, &Secret::new("another long way down")).await.unwrap();
    assert_eq!(code(auth.verify(&challenge, &otp).await.unwrap_err()), Code::OtpInvalid);
}

#[tokio::test]
async fn sf_23_and_en_04_and_rl_01_an_account_has_one_limit_however_it_is_named() {
    let auth = Auth::start().await;
    let mut refused = Vec::new();
    for name in [EMAIL, "root", "ROOT", EMAIL, "root", EMAIL] {
        refused.push(auth.start_from("10.1.0.1", name, "wrong password").await.map_err(code).unwrap_err());
    }
    assert_eq!(refused.pop(), Some(Code::RateLimited), "the sixth within a minute");
    assert!(refused.iter().all(|code| *code == Code::InvalidCredentials), "{refused:?}");
    // The owner signs in elsewhere meanwhile.
    auth.start_from("10.1.0.2", EMAIL, PASSWORD).await.unwrap();
    let unknown = async || auth.start_from("10.1.0.3", "nobody@songlist.example", "wrong password").await.map_err(code);
    for _ in 0..5 {
        assert_eq!(unknown().await, Err(Code::InvalidCredentials));
    }
    assert_eq!(unknown().await, Err(Code::RateLimited), "EN-04: the same for an unknown account");
}

#[tokio::test]
async fn sf_35_and_rl_07_a_network_is_charged_for_failures_and_not_for_successes() {
    let auth = Auth::start().await;
    let mut failures = 0;
    loop {
        let name = format!("guest{failures}@songlist.example");
        match auth.start_from("10.2.0.1", &name, "wrong").await.map_err(code) {
            Err(Code::InvalidCredentials) => failures += 1,
            refused => break assert_eq!(refused, Err(Code::RateLimited)),
        }
    }
    // Thirty a minute: one comes back every two seconds while a slow machine hashes.
    assert!((30..45).contains(&failures), "{failures} failures");
    auth.start_from("10.2.0.2", EMAIL, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn rl_04_strangers_with_many_networks_do_not_lock_the_owner_out_of_a_known_one() {
    let auth = Auth::start().await;
    auth.signed_in_from("10.9.0.1").await;
    for n in 0..110 {
        let _ = auth.start_from(&format!("10.8.{n}.1"), EMAIL, "wrong password").await;
    }
    let elsewhere = auth.start_from("10.9.0.2", EMAIL, PASSWORD).await;
    assert_eq!(elsewhere.map_err(code), Err(Code::RateLimited), "a network from which nobody came before");
    auth.clock.advance(std::time::Duration::from_secs(61));
    auth.start_from("10.9.0.1", EMAIL, PASSWORD).await.unwrap();
}
