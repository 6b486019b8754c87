use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use kit::lifecycle::Shutdown;
use kit::{Code, Error};
use kit_pg::{Conn, Scope, TxError};
use tokens::{KeySet, SigningKey};

use super::sealing::Sealed;
use crate::App;
use crate::store::signing_keys::{self, SealedKey};

/// How long a new key is published before it signs: longer than any gateway or reader of the public keys keeps them.
const PUBLISHED_FIRST: Duration = Duration::from_secs(600);
/// How often every replica reads the keys, and how often the gateway asks for them: a stolen key is refused within twice
/// this.
const RELOAD: Duration = Duration::from_secs(2);

/// The signing keys in memory.
#[derive(Default)]
pub(crate) struct Keychain(RwLock<Arc<Keys>>);

/// The keys as they were last loaded.
#[derive(Default)]
pub(crate) struct Keys {
    /// The key that signs new tokens.
    active: Option<SigningKey>,
    all: Vec<SigningKey>,
}

impl Keychain {
    fn current(&self) -> Arc<Keys> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
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
}

fn seal(app: &App, key: &SigningKey) -> Result<Sealed, Error> {
    app.sealing.seal(&key.kid, key.pkcs8())
}

/// The key of a row, and whether it is sealed with the newest encryption key.
fn unseal(app: &App, row: &SealedKey) -> Result<(SigningKey, bool), Error> {
    let sealed = Sealed { sealed: row.sealed.clone(), nonce: row.nonce.clone() };
    let (pkcs8, newest) = app.sealing.open(&row.kid, &sealed)?;
    Ok((SigningKey::from_pkcs8(row.kid.clone(), &pkcs8)?, newest))
}

/// A new key, sealed, in a state.
fn generate(app: &App, state: &str) -> Result<SealedKey, Error> {
    let key = SigningKey::generate(kit::ids::new_v7().simple().to_string())?;
    let Sealed { sealed, nonce } = seal(app, &key)?;
    let now = app.clock.now();
    Ok(SealedKey { kid: key.kid, sealed, nonce, state: state.to_owned(), created_at: now, changed_at: now })
}

/// Loads the keys; creates the first one when there is none. Two replicas that start at once get the same key. What is due
/// is done on the way: a key that was published for long enough signs, and one whose tokens have all expired goes.
///
/// # Errors
/// When the database cannot be reached or a key cannot be decrypted.
pub(crate) async fn load_or_create(app: &App) -> Result<(), Error> {
    let rows = app.pg.read(Scope::Platform.one_plan(), async |conn: &Conn| signing_keys::list(conn).await).await?;
    let is_due = rows.iter().any(|row| due(app, row).is_some()) || !rows.iter().any(|row| row.state == "active");
    let rows = if is_due { advance(app).await? } else { rows };
    let mut keys = Keys::default();
    let mut unopened = None;
    for row in &rows {
        match unseal(app, row) {
            Ok((key, _newest)) if row.state == "active" => {
                keys.active = Some(key.clone());
                keys.all.push(key);
            }
            Ok((key, _newest)) => keys.all.push(key),
            // The others are followed all the same: a key that is gone must not go on because another does not open.
            Err(error) => unopened = Some(error),
        }
    }
    *app.keychain.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    unopened.map_or(Ok(()), Err)
}

/// Seals every key with the newest encryption key, after which older ones can be taken off the list. How many were sealed
/// again.
///
/// # Errors
/// When a key does not open with any of the encryption keys.
pub(crate) async fn reseal(app: &App) -> Result<usize, Error> {
    app.pg
        .transaction(Scope::Platform, async |conn: &mut Conn| {
            let mut again = 0;
            for row in open_all(conn, app).await? {
                let (key, newest) = unseal(app, &row)?;
                if !newest {
                    let Sealed { sealed, nonce } = seal(app, &key)?;
                    signing_keys::reseal(conn, &row.kid, &sealed, &nonce).await?;
                    again += 1;
                }
            }
            Ok(again)
        })
        .await
}

/// Locks the keys and makes sure that they open: whoever runs a command with another `AUTH_KEY_ENCRYPTION_KEY` than the
/// service would leave it without a key.
async fn open_all(conn: &mut Conn, app: &App) -> Result<Vec<SealedKey>, TxError> {
    signing_keys::lock(conn).await?;
    let rows = signing_keys::list(conn).await?;
    for row in &rows {
        unseal(app, row).map_err(|error| {
            Error::new(Code::Conflict)
                .message("A key in the database does not open: use the AUTH_KEY_ENCRYPTION_KEY of auth-service.")
                .caused_by(error)
        })?;
    }
    Ok(rows)
}

/// What is due for a key.
enum Due {
    Sign,
    Go,
}

fn due(app: &App, row: &SealedKey) -> Option<Due> {
    let age = (app.clock.now() - row.changed_at).to_std().unwrap_or_default();
    match row.state.as_str() {
        "next" if age >= PUBLISHED_FIRST => Some(Due::Sign),
        // A refresh token is signed anew at every use, so that none is older than its idle time.
        "retiring" if age >= app.lifetimes.refresh + PUBLISHED_FIRST => Some(Due::Go),
        _ => None,
    }
}

async fn advance(app: &App) -> Result<Vec<SealedKey>, Error> {
    let (first, now) = (generate(app, "active")?, app.clock.now());
    app.pg
        .transaction(Scope::Platform, async |conn: &mut Conn| {
            signing_keys::lock(conn).await?;
            let rows = signing_keys::list(conn).await?;
            if !rows.iter().any(|row| row.state == "active") {
                signing_keys::insert(conn, &first).await?;
            }
            for row in &rows {
                match due(app, row) {
                    Some(Due::Sign) => {
                        for active in rows.iter().filter(|row| row.state == "active") {
                            signing_keys::set_state(conn, &active.kid, "retiring", now).await?;
                        }
                        signing_keys::set_state(conn, &row.kid, "active", now).await?;
                    }
                    Some(Due::Go) => signing_keys::delete(conn, &row.kid).await?,
                    None => {}
                }
            }
            signing_keys::list(conn).await
        })
        .await
}

/// Reads the keys again every [`RELOAD`], so that every replica follows a rotation.
pub(crate) fn keep_current(app: &App, shutdown: &Shutdown) {
    let app = app.clone();
    shutdown.every("signing-keys", RELOAD, move || {
        let app = app.clone();
        async move {
            if let Err(error) = load_or_create(&app).await {
                tracing::warn!(error = %error, "the signing keys cannot be read again");
            }
        }
    });
}

/// Publishes a new key, which signs after [`PUBLISHED_FIRST`]; nobody is signed out. The key's id.
///
/// # Errors
/// `conflict` while the last new key does not sign yet.
pub(crate) async fn rotate(app: &App) -> Result<String, Error> {
    let next = generate(app, "next")?;
    app.pg
        .transaction(Scope::Platform, async |conn: &mut Conn| {
            if open_all(conn, app).await?.iter().any(|row| row.state == "next") {
                return Err(Error::new(Code::Conflict)
                    .message("A new key is published already and will sign soon.")
                    .into());
            }
            signing_keys::insert(conn, &next).await
        })
        .await?;
    Ok(next.kid)
}

/// Replaces every key at once, because one was stolen: everybody has to sign in again. The new key's id.
///
/// # Errors
/// When the database cannot be reached.
pub(crate) async fn replace_all(app: &App) -> Result<String, Error> {
    let new = generate(app, "active")?;
    app.pg
        .transaction(Scope::Platform, async |conn: &mut Conn| {
            for row in open_all(conn, app).await? {
                signing_keys::delete(conn, &row.kid).await?;
            }
            signing_keys::insert(conn, &new).await
        })
        .await?;
    Ok(new.kid)
}
