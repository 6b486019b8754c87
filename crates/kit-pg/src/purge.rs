use chrono::{DateTime, Duration, Utc};
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;
use kit::Error;

use crate::{Conn, Pool, Scope};

/// Rows that are deleted in one transaction: few enough for the statement timeout and for short locks.
const BATCH: usize = 1_000;

/// Rows of a table that are no longer needed.
#[derive(Clone, Copy, Debug)]
pub struct OldRows {
    pub table: &'static str,
    /// SQL over the table's columns; `$1` is the time before which a row is old.
    pub condition: &'static str,
}

impl OldRows {
    /// Deletes the rows in batches, one transaction each, until none is left; returns how many were deleted.
    ///
    /// # Errors
    /// When rows cannot be deleted; batches that were committed stay deleted.
    async fn purge(self, pool: &Pool, before: DateTime<Utc>) -> Result<usize, Error> {
        let Self { table, condition } = self;
        let sql = format!(
            "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {condition} LIMIT {BATCH}))"
        );
        let mut gone = 0;
        loop {
            let batch = pool
                .transaction(Scope::Worker, async |conn: &mut Conn| {
                    Ok(diesel::sql_query(&sql).bind::<Timestamptz, _>(before).execute(conn).await?)
                })
                .await?;
            gone += batch;
            if batch < BATCH {
                return Ok(gone);
            }
        }
    }
}

/// Deletes the rows of each kind that are older than the given age; reports how many were deleted of each.
///
/// # Errors
/// The error of the last kind that could not be purged; the other kinds are purged all the same.
pub async fn purge(pool: &Pool, ages: &[(OldRows, Duration)], now: DateTime<Utc>) -> Result<String, Error> {
    let (mut report, mut failure) = (Vec::new(), None);
    for (rows, age) in ages {
        match rows.purge(pool, now - *age).await {
            Ok(gone) => report.push(format!("{} {gone}", rows.table)),
            Err(error) => failure = Some(error),
        }
    }
    failure.map_or_else(|| Ok(report.join(", ")), Err)
}
