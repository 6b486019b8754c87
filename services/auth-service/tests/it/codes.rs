//! Mailed one-time codes: five guesses, five minutes, one use.

use std::sync::Arc;
use std::time::Duration;

use kit::Code;

use crate::service::{Auth, code};

#[tokio::test]
async fn ot_02_a_code_lives_five_minutes_from_its_dispatch() {
    let auth = Auth::start().await;
    let (challenge, otp) = auth.challenge().await;
    auth.clock.advance(Duration::from_secs(301));
    assert_eq!(code(auth.verify(&challenge, &otp).await.unwrap_err()), Code::OtpInvalid);
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
