use kit::Secret;
use kit::env::Env;
use kit::tls::Authorities;
use kit_pg::Pool;
use kit_redis::Redis;
use testkit::TestDb;
use testkit::tls::{Opening, PrivateAuthority};
use url::Url;

use crate::service::Auth;

/// Postgres behind TLS, as the services name it.
async fn postgres(plain: &str, authority: &PrivateAuthority, trusted: &str) -> Secret {
    let mut url = Url::parse(plain).unwrap();
    let to = format!("127.0.0.1:{}", url.port().unwrap());
    url.set_host(Some("localhost")).unwrap();
    url.set_port(Some(authority.front(to, Opening::Postgres).await.unwrap())).unwrap();
    url.query_pairs_mut().append_pair("sslmode", "require").append_pair("sslrootcert", trusted);
    Secret::new(url.as_str().replace('+', "%20"))
}

async fn redis(authority: &PrivateAuthority, trusted: &str) -> kit_redis::RedisConfig {
    let mut config = testkit::redis().await.unwrap();
    let plain = Url::parse(config.url.expose()).unwrap();
    let to = format!("127.0.0.1:{}", plain.port().unwrap());
    let port = authority.front(to, Opening::Encrypted).await.unwrap();
    config.url = Secret::new(format!("rediss://localhost:{port}{}", plain.path()));
    config.authorities = Authorities::of_file(trusted).unwrap();
    config
}

#[tokio::test]
async fn sf_32_and_db_06_a_private_authority_is_trusted_on_each_connection_that_names_it() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authority = PrivateAuthority::new().unwrap();
    let trusted = authority.path();
    let auth = Auth::start_with(async |config, smtp| {
        config.pg.url = postgres(config.pg.url.expose(), &authority, &trusted).await;
        config.redis = redis(&authority, &trusted).await;
        let port = authority.front(format!("127.0.0.1:{smtp}"), Opening::Smtp).await.unwrap();
        config.mail = auth_service::MailConfig::from_env(&mut Env::of([
            ("EMAIL_HOST", "localhost"),
            ("EMAIL_PORT", &port.to_string()),
            ("EMAIL_USE_TLS", "true"),
            ("EMAIL_CA_FILE", &trusted),
        ]));
    })
    .await;
    let (challenge, code) = auth.challenge().await;
    assert!(auth.verify(&challenge, &code).await.is_ok(), "Postgres, Redis and SMTP were reached");
    assert!(Redis::new(&auth.config.redis).unwrap().ping().await);
}

#[tokio::test]
async fn sf_32_and_db_06_a_server_of_another_authority_is_refused() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (theirs, ours) = (PrivateAuthority::new().unwrap(), PrivateAuthority::new().unwrap());
    let db = TestDb::new("auth", auth_service::MIGRATIONS).await.unwrap();
    let mut config = db.config().unwrap();
    config.url = postgres(config.url.expose(), &theirs, &ours.path()).await;
    assert!(!Pool::new(&config, &[]).ping().await);
    assert!(!Redis::new(&redis(&theirs, &ours.path()).await).unwrap().ping().await);
}
