use std::collections::HashMap;

use kit::Error;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};

/// A private key with its id; only auth-service has one.
#[derive(Clone)]
pub struct SigningKey {
    pub kid: String,
    pub(crate) pkcs8: Vec<u8>,
    public: Vec<u8>,
}

impl SigningKey {
    /// Generates a key. Its PKCS#8 document is stored encrypted in the database.
    ///
    /// # Errors
    /// `Internal` when the system's random number generator fails.
    pub fn generate(kid: String) -> Result<Self, Error> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(failed)?;
        Self::from_pkcs8(kid, document.as_ref())
    }

    /// Reads a stored key.
    ///
    /// # Errors
    /// `Internal` when it is not an Ed25519 key.
    pub fn from_pkcs8(kid: String, pkcs8: &[u8]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(failed)?;
        Ok(Self { kid, pkcs8: pkcs8.to_vec(), public: pair.public_key().as_ref().to_vec() })
    }

    /// The PKCS#8 document.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The public part.
    pub fn public(&self) -> PublicKey {
        PublicKey { kid: self.kid.clone(), x: self.public.clone() }
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::internal(anyhow::anyhow!("signing key: {error}"))
}

/// A public key: its id and the 32 raw bytes that a JWK calls `x`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    pub kid: String,
    pub x: Vec<u8>,
}

/// The public keys that tokens may be signed with.
#[derive(Clone, Debug, Default)]
pub struct KeySet(pub(crate) HashMap<String, PublicKey>);

impl KeySet {
    /// Collects keys by id.
    pub fn new(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        Self(keys.into_iter().map(|key| (key.kid.clone(), key)).collect())
    }

    /// True when no key was loaded.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys, by id.
    pub fn iter(&self) -> impl Iterator<Item = &PublicKey> {
        self.0.values()
    }
}
