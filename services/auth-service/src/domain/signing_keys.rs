use std::sync::{Arc, PoisonError, RwLock};

use kit::{Error, Secret};
use kit_pg::{Conn, Scope};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use tokens::{KeySet, SigningKey};

use crate::App;
use crate::store::signing_keys::{self, SealedKey};

/// The signing keys in memory, and the key that encrypts them in the database.
pub(crate) struct Keychain {
    sealing: LessSafeKey,
    keys: RwLock<Arc<Keys>>,
}

/// The keys as they were last loaded.
#[derive(Default)]
pub(crate) struct Keys {
    /// The key that signs new tokens.
    active: Option<SigningKey>,
    all: Vec<SigningKey>,
}

impl Keychain {
    /// # Errors
    /// When the encryption key is not 64 hex digits.
    pub(crate) fn new(key: &Secret) -> anyhow::Result<Self> {
        let bytes =
            hex::decode(key.expose()).map_err(|_bad| anyhow::anyhow!("AUTH_KEY_ENCRYPTION_KEY is not hexadecimal"))?;
        let unbound = UnboundKey::new(&AES_256_GCM, &bytes)
            .map_err(|_bad| anyhow::anyhow!("AUTH_KEY_ENCRYPTION_KEY is not 64 hex digits"))?;
        Ok(Self { sealing: LessSafeKey::new(unbound), keys: RwLock::default() })
    }

    fn current(&self) -> Arc<Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key that signs new tokens.
    pub(crate) fn active(&self) -> Result<SigningKey, Error> {
        self.current().active.clone().ok_or_else(|| Error::internal(anyhow::anyhow!("no signing key is loaded")))
    }

    /// A key by id, for signing an earlier token again.
    pub(crate) fn by_id(&self, kid: &str) -> Option<SigningKey> {
        self.current().all.iter().find(|key| key.kid == kid).cloned()
    }

    /// The public keys.
    pub(crate) fn public(&self) -> KeySet {
        KeySet::new(self.current().all.iter().map(SigningKey::public))
    }

    fn seal(&self, key: &SigningKey) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let mut nonce = [0_u8; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_failed| Error::internal(anyhow::anyhow!("no randomness")))?;
        let mut sealed = key.pkcs8().to_vec();
        self.sealing
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(key.kid.as_bytes()), &mut sealed)
            .map_err(|_failed| Error::internal(anyhow::anyhow!("a signing key could not be sealed")))?;
        Ok((sealed, nonce.to_vec()))
    }

    fn unseal(&self, row: &SealedKey) -> Result<SigningKey, Error> {
        let failed = || {
            Error::internal(anyhow::anyhow!("signing key {} does not open: wrong AUTH_KEY_ENCRYPTION_KEY?", row.kid))
        };
        let nonce = Nonce::try_assume_unique_for_key(&row.nonce).map_err(|_bad| failed())?;
        let mut sealed = row.sealed.clone();
        let pkcs8 =
            self.sealing.open_in_place(nonce, Aad::from(row.kid.as_bytes()), &mut sealed).map_err(|_bad| failed())?;
        SigningKey::from_pkcs8(row.kid.clone(), pkcs8)
    }
}

/// Loads the keys; creates the first one when there is none. Two replicas that start at once get the same key.
///
/// # Errors
/// When the database cannot be reached or a key cannot be decrypted.
pub(crate) async fn load_or_create(app: &App) -> Result<(), Error> {
    let first = SigningKey::generate(kit::ids::new_v7().simple().to_string())?;
    let (sealed, nonce) = app.keychain.seal(&first)?;
    let row =
        SealedKey { kid: first.kid.clone(), sealed, nonce, state: "active".to_owned(), created_at: app.clock.now() };
    let rows = app
        .pg
        .transaction(Scope::Platform, async |conn: &mut Conn| {
            let present = signing_keys::list(conn).await?;
            if present.iter().any(|row| row.state == "active") {
                return Ok(present);
            }
            signing_keys::insert_if_none_active(conn, &row).await?;
            signing_keys::list(conn).await
        })
        .await?;
    let mut keys = Keys::default();
    for row in &rows {
        let key = app.keychain.unseal(row)?;
        if row.state == "active" {
            keys.active = Some(key.clone());
        }
        keys.all.push(key);
    }
    *app.keychain.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    Ok(())
}
