//! Revocations of tokens: written to Postgres in the transaction of the change that causes them, copied to Redis by the
//! outbox and to the gateways by a stream.

use std::collections::HashSet;
use std::time::Duration;

use kit::caller::Caller;
use kit::ids::{SessionId, TenantId, UserId};
use kit::lifecycle::Shutdown;
use kit_pg::{Conn, Scope, TxError};
use kit_redis::{MinVersion, Subject};
use serde_json::json;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::App;
use crate::store::revocations::{self, Revocation};

/// How often the stream sends a message; it is empty when there are no new revocations.
const TICK: Duration = Duration::from_millis(500);
/// How far each query looks back, because a transaction may commit that long after it began.
const OVERLAP_SECS: i64 = 30;

/// Writes a revocation in the transaction of the change that caused it. From then on tokens below `min_version` are
/// refused; of a revoked session, all tokens are.
pub(crate) async fn revoke(
    conn: &mut Conn,
    caller: &Caller,
    subject: Subject,
    min_version: i64,
) -> Result<(), TxError> {
    revocations::insert(conn, subject, min_version).await?;
    let (name, id) = revocations::names(subject);
    let message = outbox::NewMessage {
        topic: "revocation",
        tenant_id: None,
        aggregate_id: id,
        version: min_version,
        payload: json!({ "subject": name }),
        request_id: caller.request_id.clone(),
    };
    outbox::emit(conn, message).await
}

/// The subject for its name in the table or in a message.
pub(crate) fn subject(name: &str, id: Uuid) -> Option<Subject> {
    match name {
        "session" => Some(Subject::Session(SessionId(id))),
        "user" => Some(Subject::User(UserId(id))),
        "tenant" => Some(Subject::Tenant(TenantId(id))),
        _ => None,
    }
}

/// How long a revocation is kept: the lifetime of an access token, the leeway of its verification and a margin.
fn revocation_life(app: &App) -> Duration {
    app.lifetimes.access + Duration::from_secs(120)
}

/// Writes one revocation to Redis.
pub(crate) async fn copy_to_redis(app: &App, subject: Subject, min_version: i64) -> anyhow::Result<()> {
    let revocations = [(subject, MinVersion(min_version))];
    app.redis.revoke(&revocations, revocation_life(app)).await.map_err(|_down| anyhow::anyhow!("Redis does not answer"))
}

/// Checks every second whether Redis holds the revocations, and writes them again from Postgres when they were lost.
pub(crate) fn keep_redis_filled(app: &App, shutdown: &Shutdown) {
    let app = app.clone();
    shutdown.every("redis-fill", Duration::from_secs(1), move || {
        let app = app.clone();
        async move {
            app.health.seen("redis", fill_redis(&app).await.is_ok());
        }
    });
}

async fn fill_redis(app: &App) -> anyhow::Result<()> {
    let down = |_down| anyhow::anyhow!("Redis does not answer");
    if !app.redis.generation().await.map_err(down)?.is_empty() {
        return Ok(());
    }
    let revocations: Vec<_> = recent(app, secs(revocation_life(app)))
        .await?
        .into_iter()
        .filter_map(|row| Some((subject(&row.subject, row.subject_id)?, MinVersion(row.min_version))))
        .collect();
    app.redis.revoke(&revocations, revocation_life(app)).await.map_err(down)?;
    app.redis.set_generation(&kit::ids::random().to_string()).await.map_err(down)?;
    tracing::info!(revocations = revocations.len(), "the revocations were written to an empty Redis");
    Ok(())
}

fn secs(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

async fn recent(app: &App, secs: i64) -> kit::Result<Vec<Revocation>> {
    app.pg.transaction(Scope::Worker, async |conn: &mut Conn| revocations::recent(conn, secs).await).await
}

/// One message of the stream.
pub(crate) struct Update {
    pub generation: String,
    pub revocations: Vec<Revocation>,
}

/// Sends first every revocation that still matters, then the new ones with every tick. The stream ends when Postgres
/// does not answer, so that a gateway notices that its copy is getting old.
pub(crate) fn watch(app: &App, shutdown: &Shutdown) -> mpsc::Receiver<Update> {
    let (updates, receiver) = mpsc::channel(4);
    let (app, soft) = (app.clone(), shutdown.soft.clone());
    tokio::spawn(async move {
        let (mut sent, mut back) = (HashSet::new(), secs(revocation_life(&app)));
        while !soft.is_cancelled() {
            let Ok(mut rows) = recent(&app, back).await else { return };
            let present: HashSet<Uuid> = rows.iter().map(|row| row.id).collect();
            rows.retain(|row| !sent.contains(&row.id));
            sent = present;
            back = OVERLAP_SECS;
            let generation = app.redis.generation().await.unwrap_or_default();
            if updates.send(Update { generation, revocations: rows }).await.is_err() {
                return;
            }
            tokio::time::sleep(TICK).await;
        }
    });
    receiver
}
