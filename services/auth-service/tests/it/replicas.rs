//! Two replicas of auth-service over one database: what must happen once happens once.

use std::sync::Arc;

use kit::Code;
use testkit::schema::count;

use crate::service::{Auth, code};

#[tokio::test]
async fn cve_2026_1035_and_tk_09_a_hundred_parallel_refreshes_over_two_replicas_make_one_successor() {
    let auth = Arc::new(Auth::start().await);
    let second = Arc::new(auth.replica().await);
    let first = auth.signed_in().await.refresh;
    let refreshes: Vec<_> = (0..100)
        .map(|n| {
            let (replica, first) = (if n % 2 == 0 { auth.clone() } else { second.clone() }, first.clone());
            tokio::spawn(async move { replica.refresh(&first).await.map(|tokens| tokens.refresh).ok() })
        })
        .collect();
    let mut successors = Vec::new();
    for refresh in refreshes {
        successors.extend(refresh.await.unwrap());
    }
    successors.sort();
    successors.dedup();
    assert_eq!(successors.len(), 1, "exactly one new successor");
    assert_eq!(count(auth.db(), "refresh_tokens WHERE parent_id IS NOT NULL").await.unwrap(), 1);
}

#[tokio::test]
async fn ot_04_of_a_hundred_parallel_guesses_over_two_replicas_five_are_looked_at() {
    let auth = Arc::new(Auth::start().await);
    let second = Arc::new(auth.replica().await);
    let (challenge, otp) = auth.challenge().await;
    let guesses: Vec<_> = (0..100)
        .map(|n| {
            let replica = if n % 2 == 0 { auth.clone() } else { second.clone() };
            let (challenge, wrong) =
                (challenge.clone(), format!("{:06}", (otp.parse::<u32>().unwrap() + 1 + n) % 1_000_000));
            tokio::spawn(async move { replica.verify(&challenge, &wrong).await.is_err() })
        })
        .collect();
    for guess in guesses {
        assert!(guess.await.unwrap());
    }
    let looked_at =
        count(auth.db(), "audit_events WHERE action = 'authn_code_fail' AND result = 'wrong code'").await.unwrap();
    assert_eq!(looked_at, 5, "exactly five were compared");
    assert_eq!(code(second.verify(&challenge, &otp).await.unwrap_err()), Code::OtpInvalid);
}

#[tokio::test]
async fn ot_03_one_of_a_hundred_parallel_submits_of_the_right_code_over_two_replicas_gets_in() {
    let auth = Arc::new(Auth::start().await);
    let second = Arc::new(auth.replica().await);
    let (challenge, otp) = auth.challenge().await;
    let submits: Vec<_> = (0..100)
        .map(|n| {
            let replica = if n % 2 == 0 { auth.clone() } else { second.clone() };
            let (challenge, otp) = (challenge.clone(), otp.clone());
            tokio::spawn(async move { replica.verify(&challenge, &otp).await.is_ok() })
        })
        .collect();
    let mut let_in = 0;
    for submit in submits {
        let_in += u32::from(submit.await.unwrap());
    }
    assert_eq!(let_in, 1);
    assert_eq!(count(auth.db(), "sessions").await.unwrap(), 1);
}

#[tokio::test]
async fn two_replicas_mail_a_code_once() {
    let auth = Auth::start().await;
    let _second = auth.replica().await;
    for _ in 0..3 {
        auth.challenge().await;
    }
    testkit::eventually("the outbox is empty", || async {
        (count(auth.db(), "outbox WHERE state = 'pending'").await.unwrap() == 0).then_some(())
    })
    .await;
    assert_eq!(auth.mails().len(), 3);
}
