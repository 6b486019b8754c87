//! Pipelined reads: BEGIN with its settings and the queries go to Postgres in one write, COMMIT in a second one that is
//! not waited for.

use diesel_async::SimpleAsyncConnection;
use futures_util::FutureExt;
use futures_util::future::join;
use kit::Error;
use kit::ids::TenantId;

use crate::connection::{Conn, PooledConn};
use crate::pool::{Pool, Work};
use crate::shares;
use crate::{ReadScope, TxError};

impl Pool {
    /// Runs read-only queries under `scope`, pipelined in one transaction. `work` is polled right after BEGIN was
    /// queued, so queries that it joins (`try_join!` over one `&Conn`) are queued directly behind BEGIN. COMMIT is
    /// queued when `work` has its rows, and is not awaited.
    ///
    /// When the future is dropped before its end, the connection is lost, but no row of a tenant is shown to another:
    /// from the first byte until COMMIT is queued the connection counts as broken, and the pool does not use it again.
    ///
    /// # Errors
    /// The error of `work`; `Unavailable` when the database cannot be reached or timed out.
    pub async fn read<R, F>(&self, scope: impl Into<ReadScope>, work: F) -> Result<R, Error>
    where
        for<'r> F: Work<&'r Conn, Result<R, TxError>, Fut: Send> + Send + Sync,
        R: Send,
    {
        let scope = scope.into();
        let kind = if scope.is_search() { shares::Work::Search } else { shares::Work::Plain };
        let (begin, share) = (scope.begin_sql(), (scope.tenant(), kind));
        // A connection that was closed while idle fails here; a read changes nothing, so it is tried on the next
        // connection.
        for _ in 0..self.connections() {
            match self.attempt_read(&begin, share, &work).await {
                Err(error) if error.connection_lost() => {}
                outcome => return outcome.flatten().map_err(|error| error.into_error(self.conflicts())),
            }
        }
        self.attempt_read(&begin, share, &work).await.flatten().map_err(|error| error.into_error(self.conflicts()))
    }

    /// The outer error: the transaction did not begin, so that another connection may be tried. A query that ends its own
    /// connection is not tried again.
    #[expect(clippy::disallowed_methods, reason = "the connection counts as broken until COMMIT is queued")]
    async fn attempt_read<R, F>(
        &self,
        begin: &str,
        (tenant, kind): (Option<TenantId>, shares::Work),
        work: &F,
    ) -> Result<Result<R, TxError>, TxError>
    where
        for<'r> F: Work<&'r Conn, Result<R, TxError>, Fut: Send> + Send + Sync,
        R: Send,
    {
        let (mut pooled, _held, _share) = self.get(tenant, kind).await?;
        let PooledConn { conn, reading } = &mut *pooled;
        *reading = true;
        let conn: &Conn = conn;
        let (mut begin_on, mut commit_on) = (conn, conn);
        let (begun, outcome) = join(begin_on.batch_execute(begin), work(conn)).await;
        begun?;
        // One poll passes COMMIT to the connection's task, before anything that the next user of the connection sends.
        *reading = matches!(commit_on.batch_execute("COMMIT").now_or_never(), Some(Err(_)));
        Ok(outcome)
    }
}
