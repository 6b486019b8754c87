//! One replica is the leader and starts the due jobs. It holds a lease in the database. A fencing token (a number that grows
//! with every new leader) keeps a leader that was paused too long from starting jobs.

use std::time::Duration;

use kit::Error;
use kit::lifecycle::Shutdown;
use kit_pg::{Conn, Scope};

use crate::App;
use crate::store::jobs::{self, Job};
use crate::store::lease;

/// How often the lease is taken or renewed; it is valid for five seconds.
const TICK: Duration = Duration::from_secs(1);
/// How long the records of runs are kept.
const HISTORY_DAYS: i32 = 30;

/// Tries to be the leader for as long as the service runs, and releases the lease at the end.
pub(crate) fn lead(app: &App, shutdown: &Shutdown) {
    let ticking = app.clone();
    let inner = shutdown.clone();
    shutdown.every("leader", TICK, move || {
        let (app, shutdown) = (ticking.clone(), inner.clone());
        async move {
            if let Err(error) = tick(&app, &shutdown).await {
                error.log();
            }
        }
    });
    let (app, soft) = (app.clone(), shutdown.soft.clone());
    shutdown.spawn("lease", async move {
        soft.cancelled().await;
        app.pg.transaction(Scope::Worker, async |conn: &mut Conn| lease::release(conn, app.me).await).await
    });
}

async fn tick(app: &App, shutdown: &Shutdown) -> Result<(), Error> {
    let fence = app.pg.transaction(Scope::Worker, async |conn: &mut Conn| lease::take(conn, app.me).await).await?;
    let Some(fence) = fence else { return Ok(()) };
    let due = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            // The process may have been paused since it took the lease, for longer than the lease is valid.
            if !lease::still_leads(conn, fence).await? {
                return Ok(Vec::new());
            }
            jobs::purge_runs(conn, HISTORY_DAYS).await?;
            jobs::claim_due(conn).await
        })
        .await?;
    for job in due {
        let app = app.clone();
        // A run may take longer than the lease is valid, and must not keep the leader from renewing the lease.
        let _detached =
            tokio::spawn(shutdown.hard.clone().run_until_cancelled_owned(async move { run(&app, &job, fence).await }));
    }
    Ok(())
}

async fn run(app: &App, job: &Job, fence: i64) {
    let id = kit::ids::new_v7();
    let begun = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| jobs::begin_run(conn, id, &job.name, fence).await)
        .await;
    if let Err(error) = begun {
        error.log();
        return;
    }
    let (ok, result) = match app.peers.run(&job.service, &job.name).await {
        Ok(summary) => (true, summary),
        Err(error) => (false, format!("{error:#}")),
    };
    tracing::info!(job = job.name, ok, result, "a job ran");
    let ended = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            jobs::end_run(conn, id, &job.name, ok, &result).await?;
            jobs::reschedule(conn, &job.name, ok).await
        })
        .await;
    if let Err(error) = ended {
        error.log();
    }
}
