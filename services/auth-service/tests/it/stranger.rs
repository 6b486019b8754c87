//! A stranger who knows an organisation and an e-mail, and asks and guesses as fast as he can for an hour.

use std::time::Duration;

use kit::Code;

use crate::service::{Auth, EMAIL, PASSWORD, code};

#[tokio::test]
async fn rl_08_and_ot_12_an_hour_of_asking_and_guessing_gets_nobody_in_floods_no_mailbox_and_does_not_keep_the_owner_out()
 {
    let auth = Auth::start().await;
    auth.signed_in_from("192.0.2.1").await;
    let before = auth.mails().len();
    let mut wrong_passwords = 0;
    for minute in 0..60_u32 {
        // A new address for every minute, as from a rented network of machines.
        let network = format!("10.7.{minute}.1");
        for guess in 0..8 {
            auth.guess_at_a_reset(&network).await;
            let refused = auth.start_from(&network, EMAIL, &format!("guess {minute} {guess}")).await.map_err(code);
            assert!(matches!(refused, Err(Code::InvalidCredentials | Code::RateLimited)), "{refused:?}");
            wrong_passwords += u32::from(refused == Err(Code::InvalidCredentials));
        }
        if minute % 10 == 0 {
            // The owner, at home as ever.
            auth.start_from("192.0.2.1", EMAIL, PASSWORD).await.unwrap();
        }
        auth.clock.advance(Duration::from_secs(60));
    }
    testkit::eventually("every mail is sent", || async {
        (testkit::schema::count(auth.db(), "outbox WHERE state = 'pending'").await.unwrap() == 0).then_some(())
    })
    .await;
    let mails = auth.mails();
    let of_resets = mails.iter().filter(|mail| mail.subject.starts_with("Password Reset")).count();
    assert!(of_resets <= 30, "{of_resets} mails in an hour");
    assert!(wrong_passwords <= 220, "{wrong_passwords} passwords were compared in an hour");
    let guesses = auth.guesses("RESET").await;
    assert!(guesses <= 100, "RL-08: {guesses} codes of resets were looked at in an hour");
    assert_eq!(testkit::schema::count(auth.db(), "sessions").await.unwrap(), 1, "nobody but the owner got in");
    let seen: Vec<String> = mails.iter().filter_map(sandbox::mailbox::Mail::code).collect();
    let challenge = auth.start_from("192.0.2.1", EMAIL, PASSWORD).await.unwrap();
    let otp = auth.code_after(&seen).await;
    auth.verify(&challenge, &otp).await.unwrap();
    println!(
        "an hour: {of_resets} reset mails of {} in all, {wrong_passwords} passwords compared",
        mails.len() - before
    );
}
