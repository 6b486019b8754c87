//! The gateway's copy of auth-service's public keys, and the verification of access tokens with them.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use kit::caller::Caller;
use kit::grpc::{Peer, call};
use kit::health::Health;
use kit::lifecycle::Shutdown;
use proto::auth::ListKeysRequest;
use proto::auth::keys_client::KeysClient;
use tokens::{Claims, KeySet, PublicKey, TokenError, Verifier};

/// How often the keys are read again: a stolen key is refused this long after auth-service has dropped it.
const REFRESH: Duration = Duration::from_secs(2);
/// Tokens with an unknown key id cause at most one fetch of the keys in this time.
const COOL_DOWN: Duration = Duration::from_secs(5);
const BUDGET: Duration = Duration::from_secs(2);

pub(crate) struct SigningKeys {
    client: KeysClient<Peer>,
    verifier: Verifier,
    set: RwLock<Arc<KeySet>>,
    /// The last fetch that a token caused, and whether it succeeded.
    fetched: Mutex<Option<(Instant, bool)>>,
}

impl SigningKeys {
    pub(crate) fn new(client: KeysClient<Peer>, verifier: Verifier) -> Self {
        Self { client, verifier, set: RwLock::default(), fetched: Mutex::default() }
    }

    /// The current keys; the old ones stay valid while auth-service is not available.
    pub(crate) fn current(&self) -> Arc<KeySet> {
        self.set.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Verifies an access token with the current keys.
    pub(crate) fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        self.verifier.verify(token, &self.current())
    }

    /// Loads the keys at the start, retrying until it succeeds, and again every [`REFRESH`].
    pub(crate) fn keep_current(self: &Arc<Self>, health: &Health, shutdown: &Shutdown) {
        let (keys, health) = (self.clone(), health.clone());
        let mut due = Instant::now();
        shutdown.every("signing-keys", Duration::from_millis(200), move || {
            let (keys, health, now) = (keys.clone(), health.clone(), Instant::now());
            let wanted = now >= due || keys.current().is_empty();
            if wanted {
                due = now + REFRESH;
            }
            async move {
                if wanted {
                    let _ = keys.fetch().await;
                }
                health.seen("signing_keys", !keys.current().is_empty());
            }
        });
    }

    /// Reads the keys because a token named an unknown one, at most once per [`COOL_DOWN`]; true when the keys are
    /// current.
    pub(crate) async fn refetch(&self) -> bool {
        if let Some((at, succeeded)) = self.last_fetch()
            && at.elapsed() < COOL_DOWN
        {
            return succeeded;
        }
        let succeeded = self.fetch().await.is_ok();
        *self.fetched.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), succeeded));
        succeeded
    }

    fn last_fetch(&self) -> Option<(Instant, bool)> {
        *self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self) -> kit::Result<()> {
        let request = call(&Caller::system("gateway"), BUDGET, ListKeysRequest {});
        let keys = self.client.clone().list(request).await.map_err(kit::Error::from)?.into_inner().keys;
        let set = KeySet::new(keys.into_iter().map(|key| PublicKey { kid: key.kid, x: key.x }));
        *self.set.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
        Ok(())
    }
}
