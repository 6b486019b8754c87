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
    fetched: Mutex<Option<Instant>>,
}

impl SigningKeys {
    /// The keys known now; an old set stays good while auth-service is away.
    pub(crate) fn current(&self) -> Arc<KeySet> {
        self.set.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True when a fetch may be tried now; notes that it was.
    fn may_fetch(&self) -> bool {
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        let cool = fetched.is_none_or(|at| at.elapsed() >= COOL_DOWN);
        if cool {
            *fetched = Some(Instant::now());
        }
        cool
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

/// Reads the set because a token named an unknown key; false when that could not be done now.
pub(crate) async fn refetch(app: &App) -> bool {
    app.signing_keys.may_fetch() && fetch(app).await.is_ok()
}

async fn fetch(app: &App) -> kit::Result<()> {
    let request = call(&Caller::system("gateway"), BUDGET, ListKeysRequest {});
    let keys = app.peers.keys().list(request).await.map_err(kit::Error::from)?.into_inner().keys;
    let set = KeySet::new(keys.into_iter().map(|key| PublicKey { kid: key.kid, x: key.x }));
    *app.signing_keys.set.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
    app.verifier.forget();
    Ok(())
}
