use std::future::Future;
use std::time::Duration;

use bb8::RunError;
use diesel::result::Error as Diesel;
use diesel_async::{AnsiTransactionManager, TransactionManager};
use kit::Error;
use kit::health::Health;
use kit::ids::TenantId;
use kit::lifecycle::Shutdown;

use crate::connection::{CONNECT, Conn, Manager};
use crate::shares::{self, Share, Shares};
use crate::waiting::{Held, Waiting};
use crate::{Conflict, PgConfig, Scope, TxError};

pub(crate) type Pooled<'a> = bb8::PooledConnection<'a, Manager>;

/// How often a transaction is tried that fails with a serialization failure or a deadlock.
const TRIES: u32 = 3;
/// How often a request that waits for a connection looks whether it can still be served in time.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// An async closure that takes a connection and returns a future that is `Send`, so that a gRPC handler can await it.
pub trait Work<T, R>: AsyncFn(T) -> R + Fn(T) -> Self::Fut {
    type Fut: Future<Output = R>;
}

impl<T, R, F, Fut> Work<T, R> for F
where
    F: AsyncFn(T) -> R + Fn(T) -> Fut,
    Fut: Future<Output = R>,
{
    type Fut = Fut;
}

/// A pool of connections, with the service's list of conflicts (what a violated constraint means). Clones share the
/// pool.
#[derive(Clone)]
pub struct Pool {
    inner: bb8::Pool<Manager>,
    waiting: Waiting,
    shares: Shares,
    without_connection: Duration,
    conflicts: &'static [Conflict],
}

impl Pool {
    /// A pool that connects lazily: when the database is down, the first use fails, not the start.
    pub fn new(config: &PgConfig, conflicts: &'static [Conflict]) -> Self {
        let connections = config.max_connections.max(1);
        let inner = bb8::Pool::builder()
            .max_size(connections)
            // It also decides how long the pool pauses between attempts to connect after an outage: at most half of it.
            .connection_timeout(CONNECT)
            .build_unchecked(Manager::new(config));
        let without_connection = config.without_connection;
        Self {
            inner,
            waiting: Waiting::new(connections),
            shares: Shares::new(connections),
            without_connection,
            conflicts,
        }
    }

    /// Runs `work` in one transaction under `scope`, and repeats it after a serialization failure or a deadlock.
    /// Therefore `work` must have no effect outside the database.
    ///
    /// # Errors
    /// The error of `work`; the code that the service's conflicts name for a violated constraint; `Unavailable` when
    /// the database cannot be reached or timed out; `Internal` for everything else.
    pub async fn transaction<R, F>(&self, scope: Scope, work: F) -> Result<R, Error>
    where
        for<'r> F: Work<&'r mut Conn, Result<R, TxError>, Fut: Send> + Send + Sync,
        R: Send,
    {
        for attempt in 1.. {
            match self.attempt(scope, &work).await {
                Err(error) if error.retryable() && attempt < TRIES => tokio::time::sleep(jitter(attempt)).await,
                outcome => return outcome.map_err(|error| error.into_error(self.conflicts)),
            }
        }
        Err(Error::internal(anyhow::anyhow!("a transaction was tried for ever")))
    }

    async fn attempt<R, F>(&self, scope: Scope, work: &F) -> Result<R, TxError>
    where
        for<'r> F: Work<&'r mut Conn, Result<R, TxError>, Fut: Send> + Send + Sync,
        R: Send,
    {
        let (mut pooled, _held, _share) = self.begin(scope).await?;
        let conn = &mut pooled.conn;
        match work(conn).await {
            Ok(value) => {
                AnsiTransactionManager::commit_transaction(conn).await?;
                Ok(value)
            }
            Err(error) => {
                // A connection on which ROLLBACK fails counts as broken, so the pool drops it.
                let _ = AnsiTransactionManager::rollback_transaction(conn).await;
                Err(error)
            }
        }
    }

    /// Connections are not tested when they are taken from the pool. One that was closed while idle fails here, before
    /// any work, so the next one is tried.
    async fn begin(&self, scope: Scope) -> Result<(Pooled<'_>, Held, Option<Share>), TxError> {
        let sql = scope.begin_sql();
        let mut last = None;
        for _ in 0..=self.connections() {
            let (mut pooled, held, share) = self.get(scope.tenant(), shares::Work::Plain).await?;
            let begin = AnsiTransactionManager::begin_transaction_sql(&mut pooled.conn, &sql);
            // When this future is dropped here, its connection counts as broken, so the pool drops it.
            match tokio::time::timeout(CONNECT, begin).await {
                Ok(Ok(())) => return Ok((pooled, held, share)),
                Ok(Err(error)) => last = Some(error),
                Err(_elapsed) => return Err(Error::unavailable(anyhow::anyhow!("BEGIN was not answered")).into()),
            }
        }
        Err(Error::unavailable(last.unwrap_or(Diesel::BrokenTransactionManager)).into())
    }

    /// Waits for a connection at most until the request's deadline. Refuses as soon as that time is not expected to be
    /// enough.
    pub(crate) async fn get(
        &self,
        tenant: Option<TenantId>,
        work: shares::Work,
    ) -> Result<(Pooled<'_>, Held, Option<Share>), TxError> {
        let mut budget = Waiting::budget();
        if self.connections() == 0 {
            budget = budget.min(self.without_connection);
        }
        let share = match tenant {
            Some(tenant) => Some(self.shares.of(tenant, work, budget).await?),
            None => None,
        };
        let place = self.waiting.enter(budget)?;
        let mut connection = std::pin::pin!(self.inner.get());
        loop {
            let step = budget.min(LOOK_AGAIN);
            match tokio::time::timeout(step, &mut connection).await {
                Ok(Ok(pooled)) => return Ok((pooled, self.waiting.held(), share)),
                Ok(Err(RunError::TimedOut)) => connection.set(self.inner.get()),
                Ok(Err(error)) => {
                    return Err(Error::unavailable(anyhow::anyhow!("no database connection: {error}")).into());
                }
                Err(_elapsed) if step == budget => {
                    return Err(Error::unavailable(anyhow::anyhow!("no database connection within the budget")).into());
                }
                Err(_elapsed) => budget -= step,
            }
            place.still_in_time(budget)?;
        }
    }

    pub(crate) fn conflicts(&self) -> &'static [Conflict] {
        self.conflicts
    }

    /// The number of connections in the pool now, all of which may turn out to be closed.
    pub(crate) fn connections(&self) -> u32 {
        self.inner.state().connections
    }

    /// Adds the database to the parts that decide about the service's readiness, checked every second. At first it
    /// counts as up, because the check for pending migrations has just read from it.
    pub fn watch(&self, health: &Health, shutdown: &Shutdown) {
        let pool = self.clone();
        health.own("postgres");
        health.seen("postgres", true);
        health.watch(shutdown, "postgres", move || {
            let pool = pool.clone();
            async move { pool.ping().await }
        });
    }

    /// Waits until the database answers, at most for `patience`.
    pub(crate) async fn wait_until_reachable(&self, patience: Duration) {
        let reached = async {
            while !self.ping().await {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let _ = tokio::time::timeout(patience, reached).await;
    }

    /// True when the database answers. It waits in the pool's queue like requests do, but is never refused: a service
    /// that has much to do is still ready.
    pub async fn ping(&self) -> bool {
        // Connections that were closed while idle fail here.
        for _ in 0..=self.connections() {
            let Ok(mut pooled) = self.inner.get().await else { return false };
            let begin = AnsiTransactionManager::begin_transaction_sql(&mut pooled.conn, "BEGIN");
            if tokio::time::timeout(CONNECT, begin).await.is_ok_and(|begun| begun.is_ok()) {
                return AnsiTransactionManager::rollback_transaction(&mut pooled.conn).await.is_ok();
            }
        }
        false
    }
}

fn jitter(attempt: u32) -> Duration {
    let spread = kit::ids::random().as_bytes().first().copied().unwrap_or(0);
    Duration::from_millis(u64::from(spread) / 8) * attempt
}
