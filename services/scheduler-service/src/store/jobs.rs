use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Timestamptz};
use diesel_async::RunQueryDsl;
use kit_pg::{Conn, TxError};
use uuid::Uuid;

use crate::schema::{jobs, runs};

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub(crate) struct Job {
    pub name: String,
    pub service: String,
    pub every_secs: i32,
    pub enabled: bool,
    pub next_run_at: DateTime<Utc>,
    pub last_run_at: Option<DateTime<Utc>>,
    pub last_result: String,
}

/// Inserts a job, or updates its interval from the configuration. Whether it is enabled and when it runs next do not
/// change.
pub(crate) async fn put(conn: &mut Conn, name: &str, service: &str, every_secs: i32) -> Result<(), TxError> {
    diesel::insert_into(jobs::table)
        .values((jobs::name.eq(name), jobs::service.eq(service), jobs::every_secs.eq(every_secs)))
        .on_conflict(jobs::name)
        .do_update()
        .set((jobs::service.eq(service), jobs::every_secs.eq(every_secs)))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn list(mut conn: &Conn) -> Result<Vec<Job>, TxError> {
    Ok(jobs::table.order(jobs::name).select(Job::as_select()).load(&mut conn).await?)
}

pub(crate) async fn find(mut conn: &Conn, name: &str) -> Result<Job, TxError> {
    Ok(jobs::table.find(name).select(Job::as_select()).first(&mut conn).await?)
}

/// Claims the jobs that are due. A run has seventy seconds (its time budget and ten) until its end must be recorded, so
/// that no replica starts it beside itself; when its scheduler has crashed, the job is due again after that.
pub(crate) async fn claim_due(conn: &mut Conn) -> Result<Vec<Job>, TxError> {
    let due = jobs::table.filter(jobs::enabled.eq(true)).filter(jobs::next_run_at.le(diesel::dsl::now));
    let next = diesel::dsl::sql::<Timestamptz>("now() + interval '70 seconds'");
    Ok(diesel::update(due)
        .set((jobs::next_run_at.eq(next), jobs::last_run_at.eq(diesel::dsl::sql::<Timestamptz>("now()").nullable())))
        .returning(Job::as_returning())
        .get_results(conn)
        .await?)
}

/// Records that a run begins.
pub(crate) async fn begin_run(conn: &mut Conn, id: Uuid, job: &str, fence: i64) -> Result<(), TxError> {
    diesel::insert_into(runs::table)
        .values((runs::id.eq(id), runs::job.eq(job), runs::fence.eq(fence)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Records how a run ended.
pub(crate) async fn end_run(conn: &mut Conn, id: Uuid, job: &str, ok: bool, result: &str) -> Result<(), TxError> {
    let now = diesel::dsl::sql::<Timestamptz>("now()").nullable();
    diesel::update(runs::table.find(id))
        .set((runs::finished_at.eq(now), runs::ok.eq(ok), runs::result.eq(result)))
        .execute(conn)
        .await?;
    diesel::update(jobs::table.find(job)).set(jobs::last_result.eq(result)).execute(conn).await?;
    Ok(())
}

/// Sets when a job is due again: one interval after the start of the claimed run; after a failure, within a minute at
/// the latest.
pub(crate) async fn reschedule(conn: &mut Conn, job: &str, ok: bool) -> Result<(), TxError> {
    let next = if ok {
        "last_run_at + interval '1 second' * every_secs"
    } else {
        "now() + interval '1 second' * least(every_secs, 60)"
    };
    diesel::update(jobs::table.find(job))
        .set(jobs::next_run_at.eq(diesel::dsl::sql::<Timestamptz>(next)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Deletes the records of runs that are older than this many days.
pub(crate) async fn purge_runs(conn: &mut Conn, days: i32) -> Result<usize, TxError> {
    let before = diesel::dsl::sql::<Timestamptz>("now() - interval '1 day' * ").bind::<Integer, _>(days);
    Ok(diesel::delete(runs::table.filter(runs::started_at.lt(before))).execute(conn).await?)
}
