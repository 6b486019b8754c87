//! Signing keys are rotated by an operator with access to the database, never through the API.

use kit::Error;

use crate::App;
use crate::domain::{authenticators, signing_keys};

/// Publishes a new signing key, which signs some minutes later: nobody is signed out. Returns the key's id.
///
/// # Errors
/// `conflict` while the last new key does not sign yet, or a database that cannot be reached.
pub async fn rotate(app: &App) -> Result<String, Error> {
    signing_keys::rotate(app).await
}

/// Seals every signing key and every authenticator's secret with the newest encryption key; how many were sealed again.
///
/// # Errors
/// When a key does not open with any of the encryption keys.
pub async fn reseal(app: &App) -> Result<usize, Error> {
    Ok(signing_keys::reseal(app).await? + authenticators::reseal(app).await?)
}

/// Replaces every signing key at once, because one was stolen: within seconds no earlier token is valid. Returns the new
/// key's id.
///
/// # Errors
/// When the database cannot be reached.
pub async fn replace_all(app: &App) -> Result<String, Error> {
    signing_keys::replace_all(app).await
}
