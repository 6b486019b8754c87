//! The gateway's own copy of what was revoked, streamed from auth-service: what Redis loses is still known here.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use kit::caller::Caller;
use kit::ids::{SessionId, TenantId, UserId};
use kit::lifecycle::Shutdown;
use kit_redis::{Mark, Subject};
use proto::auth::{RevocationNews, WatchRevocationsRequest};
use tokens::Claims;
use uuid::Uuid;

use crate::app::App;

/// A copy that heard nothing for this long decides nothing alone.
const FRESH: Duration = Duration::from_secs(30);
/// The life of a stream.
const RENEW: Duration = Duration::from_secs(600);
/// Between two tries to connect.
const RETRY: Duration = Duration::from_millis(500);

#[derive(Default)]
struct State {
    marks: HashMap<Subject, Mark>,
    generation: String,
    heard: Option<Instant>,
}

/// The copy.
#[derive(Default)]
pub(crate) struct Snapshot(RwLock<State>);

impl Snapshot {
    fn learn(&self, news: RevocationNews, first: bool) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if first {
            // The first message holds everything that can still matter; what it lacks has expired.
            state.marks.clear();
        }
        for row in news.revocations {
            let Ok(id) = Uuid::try_parse(&row.id) else { continue };
            let subject = match row.subject.as_str() {
                "session" => Subject::Session(SessionId(id)),
                "user" => Subject::User(UserId(id)),
                "tenant" => Subject::Tenant(TenantId(id)),
                _ => continue,
            };
            let mark = state.marks.entry(subject).or_insert(Mark(row.min_version));
            mark.0 = mark.0.max(row.min_version);
        }
        state.generation = news.generation;
        state.heard = Some(Instant::now());
    }

    /// True when the copy names the token dead.
    pub(crate) fn revoked(&self, subjects: &[(Subject, i64)]) -> bool {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        subjects.iter().any(|(subject, version)| state.marks.get(subject).is_some_and(|mark| *version < mark.0))
    }

    /// True when Redis's filling is the one auth-service wrote last.
    pub(crate) fn same_generation(&self, generation: &str) -> bool {
        !generation.is_empty() && self.0.read().unwrap_or_else(PoisonError::into_inner).generation == generation
    }

    /// True when the copy may decide alone.
    pub(crate) fn fresh(&self) -> bool {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        state.heard.is_some_and(|at| at.elapsed() < FRESH)
    }
}

/// What of a token can be revoked, with the version it carries. A session's mark is above every version.
pub(crate) fn subjects(claims: &Claims) -> Vec<(Subject, i64)> {
    let mut subjects = vec![(Subject::Session(claims.sid), 0), (Subject::User(claims.user_id), claims.ver)];
    if let Some(tenant) = claims.tenant_id {
        subjects.push((Subject::Tenant(tenant), claims.tver));
    }
    subjects
}

/// Follows auth-service's stream for as long as the gateway runs.
pub(crate) fn follow(app: &App, shutdown: &Shutdown) {
    let app = app.clone();
    shutdown.every("revocations", RETRY, move || {
        let app = app.clone();
        async move {
            let request = kit::grpc::stream(&Caller::system("gateway"), WatchRevocationsRequest {});
            let Ok(response) = app.peers.revocations().watch(request).await else {
                app.health.seen("revocation_stream", false);
                return;
            };
            let (mut news, mut first) = (response.into_inner(), true);
            let started = Instant::now();
            // A new stream begins with all that matters: what has expired is forgotten with the old one.
            while started.elapsed() < RENEW
                && let Ok(Some(message)) = news.message().await
            {
                app.revocations.learn(message, std::mem::take(&mut first));
                app.health.seen("revocation_stream", true);
            }
            if started.elapsed() < RENEW {
                app.health.seen("revocation_stream", false);
            }
        }
    });
}
