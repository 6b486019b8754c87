//! The gateway's own copy of the revocations, streamed from auth-service. It is used when Redis has lost them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use kit::caller::Caller;
use kit::grpc::Peer;
use kit::health::Health;
use kit::ids::{SessionId, TenantId, UserId};
use kit::lifecycle::Shutdown;
use kit_redis::{MinVersion, Subject};
use proto::auth::revocations_client::RevocationsClient;
use proto::auth::{RevocationNews, WatchRevocationsRequest};
use tokens::Claims;
use uuid::Uuid;

/// A copy that has received no message for this long is not used alone.
const FRESH: Duration = Duration::from_secs(30);
/// After this time a stream is replaced by a new one.
const RENEW: Duration = Duration::from_secs(600);
/// A stream that is silent for so long comes from a replica that is frozen: a message is due every half second.
const SILENCE: Duration = Duration::from_secs(2);
/// The time between two attempts to connect.
const RETRY: Duration = Duration::from_millis(500);

#[derive(Default)]
struct State {
    min_versions: HashMap<Subject, MinVersion>,
    generation: String,
    received: Option<Instant>,
}

/// The gateway's copy of the revocations.
#[derive(Default)]
pub(crate) struct Revocations(RwLock<State>);

impl Revocations {
    /// True when the copy contains a revocation of a token with these subjects.
    pub(crate) fn revoked(&self, subjects: &[(Subject, i64)]) -> bool {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        subjects.iter().any(|(subject, version)| state.min_versions.get(subject).is_some_and(|min| *version < min.0))
    }

    /// True when `generation`, read from Redis, is the one that auth-service wrote last.
    pub(crate) fn same_generation(&self, generation: &str) -> bool {
        !generation.is_empty() && self.0.read().unwrap_or_else(PoisonError::into_inner).generation == generation
    }

    /// True when the copy is current enough to be used alone.
    pub(crate) fn fresh(&self) -> bool {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        state.received.is_some_and(|at| at.elapsed() < FRESH)
    }

    /// Follows auth-service's stream for as long as the gateway runs. The gateway is not ready before the first message,
    /// because it would refuse writes; later it stays ready without the stream, because Redis has the revocations too.
    pub(crate) fn follow(self: &Arc<Self>, client: RevocationsClient<Peer>, health: &Health, shutdown: &Shutdown) {
        health.own("revocations");
        let (copy, health) = (self.clone(), health.clone());
        shutdown.every("revocations", RETRY, move || {
            let (copy, health, client) = (copy.clone(), health.clone(), client.clone());
            async move { copy.follow_one_stream(client, &health).await }
        });
    }

    /// A new stream begins with all revocations that still matter, so expired ones are dropped from the copy then.
    async fn follow_one_stream(&self, mut client: RevocationsClient<Peer>, health: &Health) {
        let request = kit::grpc::stream(&Caller::system("gateway"), WatchRevocationsRequest {});
        let Ok(response) = client.watch(request).await else {
            health.seen("revocation_stream", false);
            return;
        };
        let (mut stream, mut first) = (response.into_inner(), true);
        let started = Instant::now();
        while started.elapsed() < RENEW
            && let Ok(Ok(Some(message))) = tokio::time::timeout(SILENCE, stream.message()).await
        {
            self.receive(message, std::mem::take(&mut first));
            health.seen("revocation_stream", true);
            health.seen("revocations", true);
        }
        if started.elapsed() < RENEW {
            health.seen("revocation_stream", false);
        }
    }

    fn receive(&self, message: RevocationNews, first: bool) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if first {
            state.min_versions.clear();
        }
        for row in message.revocations {
            let Ok(id) = Uuid::try_parse(&row.id) else { continue };
            let subject = match row.subject.as_str() {
                "session" => Subject::Session(SessionId(id)),
                "user" => Subject::User(UserId(id)),
                "tenant" => Subject::Tenant(TenantId(id)),
                _ => continue,
            };
            let min = state.min_versions.entry(subject).or_insert(MinVersion(row.min_version));
            min.0 = min.0.max(row.min_version);
        }
        state.generation = message.generation;
        state.received = Some(Instant::now());
    }
}

/// The subjects of a token that can be revoked, with the token's version for each. The minimum version of a revoked
/// session is above every version.
pub(crate) fn subjects(claims: &Claims) -> Vec<(Subject, i64)> {
    let mut subjects = vec![(Subject::Session(claims.sid), 0), (Subject::User(claims.user_id), claims.ver)];
    if let Some(tenant) = claims.tenant_id {
        subjects.push((Subject::Tenant(tenant), claims.tver));
    }
    subjects
}
