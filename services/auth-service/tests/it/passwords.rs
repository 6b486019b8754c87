//! Stored hashes of earlier systems, and what a password may be.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kit::Code;
use kit_pg::bootstrap::open;

use crate::service::{Auth, EMAIL, PASSWORD, code};

/// Made by Django 5.2.19: see `tests/django_hashes.py`.
const DJANGO: (&str, &str) =
    ("correct horse battery", "pbkdf2_sha256$1000000$kq3mZ8yXw1bTn5Rd$HiSg1tQhki4cEM/iqU1KWw/Jwvn9oqyAjyA6YpmiOBs=");

/// The same password as Django's Argon2 hasher stores it, with other parameters than ours.
const DJANGO_ARGON2: &str =
    "argon2$argon2id$v=19$m=102400,t=2,p=8$aTU4VUFmUjE3aWN4SWR4dnl2ODA2ZQ$0mqNS9qGH9FLa7vxHL2snoJ3YNDr99IndBodjxz05QQ";

async fn set_hash(auth: &Auth, hash: &str) {
    let superuser = open(auth.db().admin_url()).await.unwrap();
    let sql = format!("UPDATE {}.users SET password_hash = '{hash}'", auth.db().schema);
    assert_eq!(superuser.execute(&sql, &[]).await.unwrap(), 1);
}

async fn hash(auth: &Auth) -> String {
    let superuser = open(auth.db().admin_url()).await.unwrap();
    superuser.query_one(&format!("SELECT password_hash FROM {}.users", auth.db().schema), &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn pw_10_and_pw_11_a_hash_of_django_signs_in_and_is_argon2id_afterwards_also_under_two_sign_ins_at_once() {
    let auth = Arc::new(Auth::start().await);
    set_hash(&auth, DJANGO.1).await;
    let wrong = auth.start_from("10.0.0.1", EMAIL, "correct horse batterz").await;
    assert_eq!(wrong.map_err(code), Err(Code::InvalidCredentials));
    assert_eq!(hash(&auth).await, DJANGO.1, "a wrong password changes nothing");
    let (one, other) =
        tokio::join!(auth.start_from("10.0.0.1", EMAIL, DJANGO.0), auth.start_from("10.0.0.2", EMAIL, DJANGO.0));
    one.unwrap();
    other.unwrap();
    let upgraded = hash(&auth).await;
    assert!(upgraded.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{upgraded}");
    auth.start_from("10.0.0.3", EMAIL, DJANGO.0).await.unwrap();
    assert_eq!(hash(&auth).await, upgraded, "a current hash stays");
}

#[tokio::test]
async fn pw_11_a_hash_of_other_parameters_is_replaced_and_pw_13_an_unusable_one_never_signs_in() {
    let auth = Auth::start().await;
    for unusable in ["!", "!abc", "pbkdf2_sha256$999999999$x$AAAA", ""] {
        set_hash(&auth, unusable).await;
        let refused = auth.start_from("10.0.0.1", EMAIL, PASSWORD).await;
        assert_eq!(refused.map_err(code), Err(Code::InvalidCredentials), "{unusable}");
    }
    set_hash(&auth, DJANGO_ARGON2).await;
    auth.start_from("10.0.1.1", EMAIL, DJANGO.0).await.unwrap();
    let upgraded = hash(&auth).await;
    assert!(upgraded.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{upgraded}");
}

#[tokio::test]
async fn pw_04_a_password_that_is_too_long_is_refused_before_it_is_hashed() {
    let auth = Auth::start().await;
    let long = "x".repeat(60_000);
    let fastest = async |password: &str, net: u8| {
        let mut fastest = Duration::MAX;
        for n in 0..5 {
            let begun = Instant::now();
            let refused = auth.start_from(&format!("10.3.{net}.{n}"), EMAIL, password).await;
            assert_eq!(refused.map_err(code), Err(Code::InvalidCredentials));
            fastest = fastest.min(begun.elapsed());
        }
        fastest
    };
    let (hashed, refused) = (fastest("a wrong password", 0).await, fastest(&long, 1).await);
    assert!(refused * 2 < hashed, "{refused:?} with a long password, {hashed:?} with a wrong one");
}
