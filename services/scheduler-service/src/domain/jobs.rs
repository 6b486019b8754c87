use kit::Error;
use kit::caller::Caller;
use kit_pg::{Conn, Scope};

use crate::App;
use crate::store::jobs::{self, Job};

const MINUTE_SECS: i32 = 60;
const HOUR_SECS: i32 = 3_600;
const DAY_SECS: i32 = 86_400;

/// Inserts every job that is missing and updates the intervals of the others.
pub(crate) async fn register(app: &App) -> Result<(), Error> {
    let poll = i32::try_from(app.poll_payments_every.as_secs().max(1)).unwrap_or(DAY_SECS);
    let known = [
        ("payments.poll_pending", "payments", poll),
        ("auth.purge", "auth", DAY_SECS),
        ("auth.fill_names", "auth", HOUR_SECS),
        ("songlist.purge", "songlist", DAY_SECS),
        ("songlist.count_out_deleted", "songlist", MINUTE_SECS),
        ("songlist.fill_words", "songlist", MINUTE_SECS),
        ("songlist.keep_landmarks", "songlist", MINUTE_SECS),
        ("payments.purge", "payments", DAY_SECS),
    ];
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            for (name, service, every_secs) in known {
                jobs::put(conn, name, service, every_secs).await?;
            }
            Ok(())
        })
        .await
}

/// The jobs with their last results, for SUPER_ADMINs and operators.
pub(crate) async fn list(app: &App, caller: &Caller) -> Result<Vec<Job>, Error> {
    operator(caller)?;
    app.pg.transaction(Scope::Worker, async |conn: &mut Conn| jobs::list(conn).await).await
}

/// Runs a job now, also on a replica that is not the leader; its schedule does not change.
///
/// # Errors
/// `NotFound`; `Unavailable` when the service that owns the job cannot be reached or the job failed.
pub(crate) async fn run_now(app: &App, caller: &Caller, name: &str) -> Result<String, Error> {
    operator(caller)?;
    let job = app.pg.transaction(Scope::Worker, async |conn: &mut Conn| jobs::find(conn, name).await).await?;
    let result = app.peers.run(&job.service, &job.name).await.map_err(Error::unavailable)?;
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            let id = kit::ids::new_v7();
            jobs::begin_run(conn, id, &job.name, 0).await?;
            jobs::end_run(conn, id, &job.name, true, &result).await
        })
        .await?;
    Ok(result)
}

fn operator(caller: &Caller) -> Result<(), Error> {
    if caller.service().is_ok() { Ok(()) } else { caller.super_admin().map(|_id| ()) }
}
