//! Encryption of secrets in the database: AES-256-GCM, each bound to its row by a text that is authenticated with it.

use kit::{Error, Secret};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

/// The keys of `AUTH_KEY_ENCRYPTION_KEY`, the newest first: it seals, all of them open.
pub(crate) struct SealingKeys(Vec<LessSafeKey>);

/// What is stored of a secret.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub sealed: Vec<u8>,
    pub nonce: Vec<u8>,
}

impl SealingKeys {
    /// Reads keys of 64 hex digits, separated by commas.
    ///
    /// # Errors
    /// When a key is something else.
    pub(crate) fn parse(keys: &Secret) -> anyhow::Result<Self> {
        let parse = |key: &str| {
            let bytes = hex::decode(key.trim()).ok().and_then(|bytes| UnboundKey::new(&AES_256_GCM, &bytes).ok());
            bytes.map(LessSafeKey::new).ok_or_else(|| anyhow::anyhow!("AUTH_KEY_ENCRYPTION_KEY is not 64 hex digits"))
        };
        Ok(Self(keys.expose().split(',').map(parse).collect::<anyhow::Result<_>>()?))
    }

    /// Seals a secret for the row that `bound_to` names.
    ///
    /// # Errors
    /// `Internal` when there is no randomness or no key.
    pub(crate) fn seal(&self, bound_to: &str, secret: &[u8]) -> Result<Sealed, Error> {
        let mut nonce = [0_u8; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_failed| Error::internal(anyhow::anyhow!("no randomness")))?;
        let mut sealed = secret.to_vec();
        let newest = self.0.first().ok_or_else(|| Error::internal(anyhow::anyhow!("no key to seal with")))?;
        newest
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound_to.as_bytes()), &mut sealed)
            .map_err(|_failed| Error::internal(anyhow::anyhow!("a secret could not be sealed")))?;
        Ok(Sealed { sealed, nonce: nonce.to_vec() })
    }

    /// The secret of a row, and whether it is sealed with the newest key.
    ///
    /// # Errors
    /// `Internal` when no key opens it.
    pub(crate) fn open(&self, bound_to: &str, row: &Sealed) -> Result<(Vec<u8>, bool), Error> {
        for (age, sealing) in self.0.iter().enumerate() {
            let Ok(nonce) = Nonce::try_assume_unique_for_key(&row.nonce) else { break };
            let mut sealed = row.sealed.clone();
            if let Ok(secret) = sealing.open_in_place(nonce, Aad::from(bound_to.as_bytes()), &mut sealed) {
                return Ok((secret.to_vec(), age == 0));
            }
        }
        Err(Error::internal(anyhow::anyhow!("{bound_to} does not open: wrong AUTH_KEY_ENCRYPTION_KEY?")))
    }
}
