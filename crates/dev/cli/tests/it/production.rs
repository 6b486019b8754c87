//! The configuration of production: five services start with keys of their own, and none with development's.

use kit::assertion::DEV_PAIRS;
use kit::env::Env;

/// `INTERNAL_KEYS` with the pairs of development and fresh keys.
fn fresh_keys() -> String {
    let pairs = DEV_PAIRS.split(',').filter_map(|pair| pair.split('=').next());
    pairs.map(|pair| format!("{pair}={}", fresh())).collect::<Vec<_>>().join(",")
}

fn fresh() -> String {
    format!("{}{}", kit::ids::random().simple(), kit::ids::random().simple())
}

fn variables() -> Vec<(String, String)> {
    let mut set = vec![
        ("APP_ENV".to_owned(), "production".to_owned()),
        ("INTERNAL_KEYS".to_owned(), fresh_keys()),
        ("REDIS_URL".to_owned(), "rediss://cache.example:6379/0".to_owned()),
        ("EMAIL_HOST".to_owned(), "mail.example".to_owned()),
        ("EMAIL_USE_TLS".to_owned(), "true".to_owned()),
        ("AUTH_KEY_ENCRYPTION_KEY".to_owned(), fresh()),
        ("AUTH_CODE_KEYS".to_owned(), format!("2026={}", fresh())),
        ("MEDIA_NAME_KEY".to_owned(), fresh()),
        ("RAZORPAY_KEY_SECRET".to_owned(), fresh()),
        ("RAZORPAY_WEBHOOK_SECRET".to_owned(), fresh()),
        ("AUTH_GRPC_URL".to_owned(), "http://auth-service:9001".to_owned()),
        ("SONGLIST_GRPC_URL".to_owned(), "http://songlist-service:9002".to_owned()),
    ];
    for svc in ["AUTH", "SONGLIST", "PAYMENTS", "SCHEDULER"] {
        let role = svc.to_lowercase();
        let url = format!("postgres://{role}_rw:{}@db.example/songlist?sslmode=require", fresh());
        set.push((format!("{svc}_DATABASE_URL"), url));
        set.push((format!("{svc}_GRPC_ADDR"), "0.0.0.0:9001".to_owned()));
    }
    set
}

/// What a service says about a configuration.
fn faults<C>(read: fn(&mut Env) -> C, set: &[(String, String)]) -> String {
    let mut env = Env::of(set.iter().cloned());
    drop(read(&mut env));
    env.finish().map_err(|error| error.to_string()).err().unwrap_or_default()
}

fn all_faults(set: &[(String, String)]) -> [String; 5] {
    [
        faults(auth_service::Config::from_env, set),
        faults(songlist_service::Config::from_env, set),
        faults(payments_service::Config::from_env, set),
        faults(scheduler_service::Config::from_env, set),
        faults(gateway::Config::from_env, set),
    ]
}

#[test]
fn sf_12_production_starts_with_keys_of_its_own_and_with_none_of_development() {
    let good = variables();
    assert_eq!(all_faults(&good), ["", "", "", "", ""].map(str::to_owned));
    let with = |name: &str, value: &str| {
        let mut set = good.clone();
        set.retain(|(known, _)| known != name);
        set.push((name.to_owned(), value.to_owned()));
        all_faults(&set)
    };
    let one_pair = DEV_PAIRS.split(',').next().unwrap();
    assert!(with("INTERNAL_KEYS", one_pair).iter().all(|faults| faults.contains("INTERNAL_KEYS")));
    assert!(
        with("AUTH_DATABASE_URL", "postgres://auth_rw:auth_rw_dev@db/x?sslmode=require")[0]
            .contains("AUTH_DATABASE_URL")
    );
    assert!(with("AUTH_DATABASE_URL", "postgres://auth_rw:x@db.example/songlist")[0].contains("sslmode"));
    assert!(with("EMAIL_USE_TLS", "false")[0].contains("EMAIL_USE_TLS"));
    assert!(with("EMAIL_BACKEND", "console")[0].contains("EMAIL_BACKEND"));
    assert!(with("REDIS_URL", "redis://cache.example:6379/0")[4].contains("rediss"));
    assert!(
        with("AUTH_CODE_KEYS", "prod=0000000000000000000000000000000000000000000000000000000000000002")[0]
            .contains("not random")
    );
}
