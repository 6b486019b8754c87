//! Mailed one-time codes: five guesses, five minutes, one use.

use std::sync::Arc;
use std::time::Duration;

use kit::Code;

use crate::service::{Auth, EMAIL, code};

#[tokio::test]
async fn ot_02_a_code_lives_five_minutes_from_its_dispatch() {
    let auth = Auth::start().await;
    let (challenge, otp) = auth.challenge().await;
    auth.clock.advance(Duration::from_secs(301));
    assert_eq!(code(auth.verify(&challenge, &otp).await.unwrap_err()), Code::OtpInvalid);
    let (challenge, otp) = auth.challenge_after(&[otp]).await;
    auth.clock.advance(Duration::from_secs(295));
    auth.verify(&challenge, &otp).await.unwrap();
}

#[tokio::test]
async fn ot_04_the_sixth_guess_is_refused_even_when_it_is_right() {
    let auth = Auth::start().await;
    let (challenge, otp) = auth.challenge().await;
    let wrong = if otp == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(code(auth.verify(&challenge, wrong).await.unwrap_err()), Code::OtpInvalid);
    }
    assert_eq!(code(auth.verify(&challenge, &otp).await.unwrap_err()), Code::OtpInvalid);
}

#[tokio::test]
async fn ot_03_and_ot_04_parallel_submits_evaluate_five_guesses_and_let_one_in() {
    let auth = Arc::new(Auth::start().await);
    let (challenge, otp) = auth.challenge().await;
    let submits: Vec<_> = (0..30)
        .map(|_| {
            let (auth, challenge, otp) = (auth.clone(), challenge.clone(), otp.clone());
            tokio::spawn(async move { auth.verify(&challenge, &otp).await.is_ok() })
        })
        .collect();
    let mut let_in = 0;
    for submit in submits {
        let_in += u32::from(submit.await.unwrap());
    }
    assert_eq!(let_in, 1);
}

#[tokio::test]
async fn ot_06_a_resend_neither_resets_the_count_nor_extends_the_life_and_both_codes_are_good() {
    let auth = Auth::start().await;
    let (challenge, first) = auth.challenge().await;
    for _ in 0..3 {
        assert!(auth.verify(&challenge, &other_than(&first)).await.is_err());
    }
    auth.clock.advance(Duration::from_secs(61));
    let second = auth.resent(&challenge, &first).await;
    assert!(auth.verify(&challenge, &other_than(&second)).await.is_err());
    auth.verify(&challenge, &first).await.unwrap();
    let (challenge, third) = auth.challenge_after(&[first.clone(), second.clone()]).await;
    for _ in 0..3 {
        assert!(auth.verify(&challenge, &other_than(&third)).await.is_err());
    }
    auth.clock.advance(Duration::from_secs(61));
    let fourth = auth.resent_after(&challenge, &[&first, &second, &third]).await;
    for _ in 0..2 {
        assert!(auth.verify(&challenge, &other_than(&fourth)).await.is_err());
    }
    assert!(auth.verify(&challenge, &fourth).await.is_err(), "the sixth guess, whatever was sent again");
    let (challenge, first) = auth.challenge_after(&[first, second, third, fourth]).await;
    auth.clock.advance(Duration::from_secs(61));
    let second = auth.resent(&challenge, &first).await;
    auth.clock.advance(Duration::from_secs(240));
    assert!(auth.verify(&challenge, &second).await.is_err(), "five minutes from the first one");
}

/// A code that is not this one.
fn other_than(code: &str) -> String {
    if code == "000000" { "000001".to_owned() } else { "000000".to_owned() }
}

#[tokio::test]
async fn ot_07_and_ot_08_a_code_serves_its_own_purpose_and_challenge_only() {
    let auth = Auth::start().await;
    let (challenge, otp) = auth.challenge().await;
    let (reset, reset_otp) = auth.reset_challenge().await;
    assert_eq!(code(auth.verify(&reset, &reset_otp).await.unwrap_err()), Code::OtpInvalid);
    assert_eq!(auth.confirm_reset(&challenge, &otp).await.map_err(code), Err(Code::OtpInvalid));
    assert_eq!(code(auth.verify(&challenge, &reset_otp).await.unwrap_err()), Code::OtpInvalid);
    for no_challenge in ["", EMAIL, "0198c2f4-7d1e-7a43-9a53-3f6d0e2b8c11"] {
        assert!(auth.verify(no_challenge, &otp).await.is_err(), "{no_challenge}");
    }
    auth.verify(&challenge, &otp).await.unwrap();
}

#[tokio::test]
async fn ot_09_and_ot_15_and_tk_18_no_row_holds_a_code_or_a_token() {
    let auth = Auth::start().await;
    let (challenge, otp) = auth.challenge().await;
    let waiting =
        testkit::schema::count(auth.db(), "outbox WHERE topic = 'mail.code' AND payload <> '{}'").await.unwrap();
    assert_eq!(waiting, 0, "the message of a mail names its challenge and nothing else");
    let before = testkit::schema::dump(auth.db()).await.unwrap();
    assert!(before.contains(&challenge) && !before.contains(&otp));
    let tokens = auth.verify(&challenge, &otp).await.unwrap();
    let dump = testkit::schema::dump(auth.db()).await.unwrap();
    for token in [&tokens.access, &tokens.refresh] {
        assert!(!dump.contains(token.as_str()) && !dump.contains(token.rsplit('.').next().unwrap()));
    }
}

#[tokio::test]
async fn ot_11_wrong_spent_exhausted_expired_and_unknown_codes_have_one_answer() {
    let auth = Auth::start().await;
    let said = |status: tonic::Status| (status.code(), status.message().to_owned(), code(status));
    let unknown = said(auth.verify("0198c2f4-7d1e-7a43-9a53-3f6d0e2b8c11", "123456").await.unwrap_err());
    let (challenge, otp) = auth.challenge().await;
    let wrong = said(auth.verify(&challenge, &other_than(&otp)).await.unwrap_err());
    auth.verify(&challenge, &otp).await.unwrap();
    let spent = said(auth.verify(&challenge, &otp).await.unwrap_err());
    let (challenge, otp) = auth.challenge_after(&[otp]).await;
    auth.clock.advance(Duration::from_secs(301));
    let expired = said(auth.verify(&challenge, &otp).await.unwrap_err());
    let (challenge, otp) = auth.challenge_after(&[otp]).await;
    for _ in 0..5 {
        let _ = auth.verify(&challenge, &other_than(&otp)).await;
    }
    let exhausted = said(auth.verify(&challenge, &otp).await.unwrap_err());
    assert!(
        [&wrong, &spent, &expired, &exhausted].into_iter().all(|one| *one == unknown),
        "{unknown:?} {wrong:?} {spent:?} {expired:?} {exhausted:?}"
    );
    // The log keeps the real reason.
    for (reason, times) in [("wrong code", 6), ("spent, expired or unknown", 4)] {
        let refused = format!("audit_events WHERE action = 'authn_code_fail' AND result = '{reason}'");
        assert_eq!(testkit::schema::count(auth.db(), &refused).await.unwrap(), times, "{reason}");
    }
}

#[tokio::test]
async fn ot_12_ten_guesses_a_day_that_name_an_address_are_looked_at() {
    let auth = Auth::start().await;
    let (_, otp) = auth.reset_challenge().await;
    for _ in 0..9 {
        assert!(auth.confirm_reset_of_address(EMAIL, &other_than(&otp)).await.is_err());
    }
    auth.confirm_reset_of_address(EMAIL, &otp).await.unwrap();
    let auth = Auth::start().await;
    let (_, otp) = auth.reset_challenge().await;
    for _ in 0..10 {
        assert!(auth.confirm_reset_of_address(EMAIL, &other_than(&otp)).await.is_err());
    }
    assert_eq!(code(auth.confirm_reset_of_address(EMAIL, &otp).await.unwrap_err()), Code::OtpInvalid);
    assert_eq!(auth.guesses("RESET").await, 0, "they use up nobody's challenge");
    let too_long = format!("{}@songlist.example", "x".repeat(1_000));
    assert_eq!(code(auth.confirm_reset_of_address(&too_long, &otp).await.unwrap_err()), Code::OtpInvalid);
    let counted = testkit::schema::count(auth.db(), "address_guesses").await.unwrap();
    assert_eq!(counted, 1, "nothing is stored for what cannot be an address");
    let missing = auth.confirm_reset("", "").await.unwrap_err();
    assert_eq!(code(missing), Code::ValidationError);
}

#[tokio::test]
async fn ot_13_whoever_uses_up_the_codes_of_a_sign_in_knows_the_password_so_the_owner_is_told() {
    let auth = Auth::start().await;
    let (challenge, otp) = auth.challenge().await;
    let notices = async || testkit::schema::count(auth.db(), "outbox WHERE topic = 'mail.notice'").await.unwrap();
    for _ in 0..4 {
        let _ = auth.verify(&challenge, &other_than(&otp)).await;
    }
    assert_eq!(notices().await, 0);
    for _ in 0..3 {
        let _ = auth.verify(&challenge, &other_than(&otp)).await;
    }
    assert_eq!(notices().await, 1, "once");
    auth.mailbox.wait_for(EMAIL, "Wrong sign-in codes").await;
    // Anybody can ask for a reset, so it says nothing about who knows the password.
    auth.guess_at_a_reset("10.9.0.1").await;
    assert_eq!((auth.guesses("RESET").await, notices().await), (5, 1));
}

#[tokio::test]
async fn fault_13_a_code_whose_mail_does_not_leave_is_taken_back_and_its_life_has_not_begun() {
    let nobody_listens = 1;
    let auth =
        Auth::start_with(async |config, _smtp| config.mail = auth_service::MailConfig::local_smtp(nobody_listens))
            .await;
    auth.start_from("10.6.0.1", EMAIL, crate::service::PASSWORD).await.unwrap();
    let count = async |what: &str| testkit::schema::count(auth.db(), what).await.unwrap();
    testkit::eventually("the mail has failed", || async {
        (count("outbox WHERE topic = 'mail.code' AND last_error IS NOT NULL").await == 1).then_some(())
    })
    .await;
    assert_eq!((count("challenge_codes").await, count("challenges WHERE expires_at IS NOT NULL").await), (0, 0));
}
