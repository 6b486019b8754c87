//! Which certificate authorities prove that a server is the one that was meant: the public ones, or those of a file.

use std::sync::Arc;

use anyhow::Context;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::env::Env;

/// The certificate authorities that are trusted on one kind of connection.
#[derive(Clone, Debug, Default)]
pub struct Authorities {
    /// The PEM text of private authorities; then no public one is trusted.
    private: Option<Arc<str>>,
}

impl Authorities {
    /// Reads a PEM file with one or more certificates.
    ///
    /// # Errors
    /// When it cannot be read or holds something else.
    pub fn of_file(path: &str) -> anyhow::Result<Self> {
        let pem = std::fs::read_to_string(path).with_context(|| format!("{path} cannot be read"))?;
        let authorities = Self { private: Some(pem.into()) };
        let store = authorities.store().with_context(|| format!("{path} holds no usable certificate"))?;
        anyhow::ensure!(!store.is_empty(), "{path} holds no certificate");
        Ok(authorities)
    }

    /// Reads the variable with the path of a PEM file; without it the public authorities are trusted.
    pub fn from_env(env: &mut Env, name: &str, about: &'static str) -> Self {
        match env.opt(name, about).map(|path| Self::of_file(&path)) {
            None => Self::default(),
            Some(Ok(authorities)) => authorities,
            Some(Err(error)) => {
                env.problem(format!("{name}: {error:#}"));
                Self::default()
            }
        }
    }

    /// The PEM text of private authorities, `None` for the public ones.
    pub fn private(&self) -> Option<&str> {
        self.private.as_deref()
    }

    /// Their certificates.
    ///
    /// # Errors
    /// When a private one is broken.
    pub fn store(&self) -> anyhow::Result<RootCertStore> {
        let Some(pem) = &self.private else {
            return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
        };
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            store.add(certificate?)?;
        }
        Ok(store)
    }
}
