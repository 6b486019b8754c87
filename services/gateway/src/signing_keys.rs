//! The public keys of auth-service, as the gateway holds them.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use kit::caller::Caller;
use kit::grpc::call;
use kit::lifecycle::Shutdown;
use proto::auth::ListKeysRequest;
use tokens::{KeySet, PublicKey};

use crate::app::App;

/// How often the set is read again without a cause.
const REFRESH: Duration = Duration::from_secs(300);
/// An unknown key id causes one fetch in this time at most.
const COOL_DOWN: Duration = Duration::from_secs(5);
const BUDGET: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(crate) struct SigningKeys {
    set: RwLock<Arc<KeySet>>,
    /// The last fetch that a token caused, and whether it succeeded.
    fetched: Mutex<Option<(Instant, bool)>>,
}

impl SigningKeys {
    /// The keys known now; an old set stays good while auth-service is away.
    pub(crate) fn current(&self) -> Arc<KeySet> {
        self.set.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn last_fetch(&self) -> Option<(Instant, bool)> {
        *self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Loads the set at the start, trying until it is there, and again from time to time.
pub(crate) fn keep_current(app: &App, shutdown: &Shutdown) {
    let app = app.clone();
    let mut due = Instant::now();
    shutdown.every("signing-keys", Duration::from_millis(200), move || {
        let (app, now) = (app.clone(), Instant::now());
        let wanted = now >= due || app.signing_keys.current().is_empty();
        if wanted {
            due = now + REFRESH;
        }
        async move {
            if wanted {
                let _ = fetch(&app).await;
            }
            app.health.seen("signing_keys", !app.signing_keys.current().is_empty());
        }
    });
}

/// Reads the set because a token named an unknown key, once per cool-down; true when the set is known to be current.
pub(crate) async fn refetch(app: &App) -> bool {
    if let Some((at, succeeded)) = app.signing_keys.last_fetch()
        && at.elapsed() < COOL_DOWN
    {
        return succeeded;
    }
    let succeeded = fetch(app).await.is_ok();
    *app.signing_keys.fetched.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), succeeded));
    succeeded
}

async fn fetch(app: &App) -> kit::Result<()> {
    let request = call(&Caller::system("gateway"), BUDGET, ListKeysRequest {});
    let keys = app.peers.keys().list(request).await.map_err(kit::Error::from)?.into_inner().keys;
    let set = KeySet::new(keys.into_iter().map(|key| PublicKey { kid: key.kid, x: key.x }));
    *app.signing_keys.set.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
    app.verifier.forget();
    Ok(())
}
