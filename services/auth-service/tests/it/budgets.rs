//! Who pays: what anybody may start uses up nothing that a sign-in needs.

use kit::caller::{Actor, Caller, Session};
use kit::ids::{SessionId, UserId};
use kit::{Code, Secret};
use kit_redis::{Limit, Redis};
use proto::auth::ChangePasswordRequest;
use proto::auth::users_client::UsersClient;
use testkit::caller::{anonymous, call};

use crate::service::{Auth, EMAIL, PASSWORD, code};

#[tokio::test]
async fn sf_03_and_ot_12_guesses_at_resets_do_not_keep_the_owner_from_signing_in() {
    let auth = Auth::start().await;
    for n in 0..25 {
        auth.guess_at_a_reset(&format!("10.0.0.{n}")).await;
        auth.clock.advance(std::time::Duration::from_secs(420));
    }
    assert!(auth.guesses("RESET").await >= 100, "a budget of codes in a day is used up");
    auth.signed_in().await;
}

#[tokio::test]
async fn sf_03_and_ot_12_after_a_hundred_wrong_codes_only_one_that_an_operator_was_shown_is_taken() {
    let auth = Auth::start().await;
    let mut seen = Vec::new();
    for n in 0..20 {
        let challenge = auth.start_from(&format!("10.0.1.{n}"), EMAIL, PASSWORD).await.unwrap();
        seen.push(auth.code_after(&seen).await);
        // The hundredth guess is the last one that is looked at.
        let last = if n == 19 { seen.last().unwrap().clone() } else { "000004".to_owned() };
        for guess in ["000000", "000001", "000002", "000003"] {
            assert!(auth.verify(&challenge, guess).await.is_err());
        }
        assert_eq!(auth.verify(&challenge, &last).await.is_ok(), n == 19);
        auth.clock.advance(std::time::Duration::from_secs(240));
    }
    let challenge = auth.start_from("10.0.2.1", EMAIL, PASSWORD).await.unwrap();
    let otp = auth.code_after(&seen).await;
    let refused = auth.verify(&challenge, &otp).await.map_err(code).unwrap_err();
    assert_eq!((refused, auth.guesses("LOGIN").await), (Code::OtpInvalid, 101), "OT-12: a hundred wrong codes a day");
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
    for _ in 0..4 {
        auth.start_from("10.2.0.1", EMAIL, PASSWORD).await.unwrap();
    }
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

#[tokio::test]
async fn a_stolen_access_token_does_not_help_to_guess_the_password() {
    let auth = Auth::start().await;
    let id: uuid::Uuid = auth.root_id().await;
    let session = Session { id: SessionId::new(), ver: 1, auth_time: auth.clock.now() };
    let thief = Caller { actor: Actor::Platform { id: UserId(id), session }, ..anonymous() };
    let mut answers = Vec::new();
    for n in 0..12 {
        let message = ChangePasswordRequest {
            old_password: format!("wrong horse {n}"),
            new_password: "staple battery horse".into(),
        };
        let refused = UsersClient::new(auth.gateway.clone()).change_password(call(&thief, message)).await;
        answers.push(code(refused.unwrap_err()));
    }
    assert!(answers[..10].iter().all(|code| *code == Code::ValidationError), "{answers:?}");
    assert_eq!(answers[10..], [Code::RateLimited; 2]);
}

#[tokio::test]
async fn rl_06_a_burst_at_the_edge_of_a_window_passes_once_in_redis() {
    let auth = Auth::start().await;
    let redis = Redis::new(&auth.config.redis).unwrap().with_clock(auth.clock.clone());
    let minute = std::time::Duration::from_secs(60);
    let limit = [Limit { key: "edge:x".into(), burst: 30, per: minute }];
    let pass = async || redis.check(&limit, &[]).await.unwrap().wait.is_zero();
    // Wherever a window of a minute would begin, these two bursts are on both sides of an edge.
    auth.clock.advance(std::time::Duration::from_secs(59));
    let mut passed = 0;
    for _ in 0..40 {
        passed += u32::from(pass().await);
    }
    auth.clock.advance(std::time::Duration::from_secs(2));
    for _ in 0..40 {
        passed += u32::from(pass().await);
    }
    assert!((30..=33).contains(&passed), "{passed} of a limit of 30 within two seconds");
}

#[tokio::test]
async fn ot_06_and_ot_12_twenty_sign_ins_of_an_account_in_an_hour_are_sent_a_code() {
    let auth = Auth::start().await;
    for n in 0..20 {
        auth.start_from(&format!("10.7.0.{n}"), EMAIL, PASSWORD).await.unwrap();
    }
    assert_eq!(auth.start_from("10.7.1.1", EMAIL, PASSWORD).await.map_err(code), Err(Code::RateLimited));
    auth.clock.advance(std::time::Duration::from_secs(3_601));
    auth.start_from("10.7.1.2", EMAIL, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn ot_12_after_a_hundred_guesses_at_resets_a_day_no_more_are_mailed() {
    let auth = Auth::start().await;
    let mailed =
        async || testkit::schema::count(auth.db(), "challenges WHERE purpose = 'RESET' AND email <> ''").await.unwrap();
    for n in 0..20 {
        auth.guess_at_a_reset(&format!("10.8.0.{n}")).await;
        auth.clock.advance(std::time::Duration::from_secs(1_200));
    }
    assert_eq!((auth.guesses("RESET").await, mailed().await), (100, 20));
    auth.guess_at_a_reset("10.8.1.1").await;
    assert_eq!(mailed().await, 20, "the next one is of nobody");
}
