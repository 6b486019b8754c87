//! The server that a `postgres://` URL names, and how the connection to it is encrypted.

use anyhow::Context;
use kit::tls::Authorities;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;
use url::Url;

/// What a URL says, read once.
#[derive(Clone)]
pub(crate) struct Target {
    pub config: tokio_postgres::Config,
    /// `None`: the connection is plain.
    pub tls: Option<MakeRustlsConnect>,
}

impl Target {
    /// Reads a URL as libpq does, with two differences: `sslmode=require` verifies the certificate and the name of the
    /// server as `verify-full` does, and without `sslrootcert` (a PEM file) the public authorities are trusted.
    ///
    /// # Errors
    /// When it is not a `postgres://` URL, or the file of the authorities cannot be used.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut url = Url::parse(text).context("not a postgres:// URL")?;
        let mut authorities = Authorities::default();
        let mut kept = Vec::new();
        for (key, value) in url.query_pairs() {
            match (&*key, &*value) {
                ("sslrootcert", path) => authorities = Authorities::of_file(path)?,
                ("sslmode", "verify-full") => kept.push((key.into_owned(), "require".to_owned())),
                _ => kept.push((key.into_owned(), value.into_owned())),
            }
        }
        url.set_query(None);
        // The driver reads `%20`, not the `+` of forms, as a space.
        let pairs: Vec<String> = kept.iter().map(|(key, value)| format!("{key}={}", percent_encoded(value))).collect();
        if !pairs.is_empty() {
            url.set_query(Some(&pairs.join("&")));
        }
        let config: tokio_postgres::Config = url.as_str().parse()?;
        let encrypted = config.get_ssl_mode() == SslMode::Require;
        let tls = if encrypted { Some(connector(&authorities)?) } else { None };
        Ok(Self { config, tls })
    }
}

fn connector(authorities: &Authorities) -> anyhow::Result<MakeRustlsConnect> {
    let roots = authorities.store()?;
    let client = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(MakeRustlsConnect::new(client))
}

fn percent_encoded(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_keep_their_spaces_and_a_plain_url_stays_plain() {
        let url = "postgres://a:b@127.0.0.1:5432/songlist?options=-c%20search_path%3Dauth&sslmode=disable";
        let target = Target::parse(url).unwrap();
        assert_eq!(target.config.get_options(), Some("-c search_path=auth"));
        assert!(target.tls.is_none());
    }

    #[test]
    fn verify_full_is_understood_and_a_file_that_is_missing_is_named() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        assert!(Target::parse("postgres://a@db.example/songlist?sslmode=verify-full").unwrap().tls.is_some());
        let missing = Target::parse("postgres://a@db.example/songlist?sslmode=require&sslrootcert=/none.pem");
        assert!(format!("{:#}", missing.err().unwrap()).contains("/none.pem"));
    }
}
