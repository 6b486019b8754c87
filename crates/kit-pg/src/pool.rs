use std::future::Future;
use std::time::Duration;

use diesel::ConnectionError;
use diesel::result::Error as Diesel;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AnsiTransactionManager, AsyncPgConnection, TransactionManager};
use futures_util::FutureExt;
use kit::Error;
use kit::health::Health;
use kit::lifecycle::Shutdown;
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Conflict, PgConfig, Scope, TxError};

/// The connection that store functions take.
pub type Conn = AsyncPgConnection;

type Manager = AsyncDieselConnectionManager<Conn>;
type Pooled<'a> = bb8::PooledConnection<'a, Manager>;

/// What a TCP connection, and what BEGIN on an open one, may take.
const CONNECT: Duration = Duration::from_secs(2);
/// Tries of a transaction that met a serialization failure or a deadlock.
const TRIES: u32 = 3;

/// An async closure over a connection whose future is `Send`, so that a gRPC handler can await it.
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

/// A pool of connections, with what violated constraints mean in this service. Clones share it.
#[derive(Clone)]
pub struct Pool {
    inner: bb8::Pool<Manager>,
    conflicts: &'static [Conflict],
}

impl Pool {
    /// A pool that connects lazily: a database that is down costs an error at the first use, never at the start.
    pub fn new(config: &PgConfig, conflicts: &'static [Conflict]) -> Self {
        let mut manager = ManagerConfig::default();
        manager.recycling_method = RecyclingMethod::Fast;
        let settings = config.clone();
        manager.custom_setup = Box::new(move |url| connect(url.to_owned(), settings.clone()).boxed());
        let inner = bb8::Pool::builder()
            .max_size(config.max_connections.max(2))
            .connection_timeout(config.acquire_timeout)
            .build_unchecked(Manager::new_with_config(config.url.expose(), manager));
        Self { inner, conflicts }
    }

    /// Runs `work` in one transaction under `scope`, and again when it met a serialization failure or a deadlock: `work` has
    /// no effect outside the database.
    ///
    /// # Errors
    /// What `work` refused with; `Conflict` for a violated constraint that the service names; `Unavailable` when the database
    /// cannot be reached or gave up; `Internal` for everything else.
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
        let mut conn = self.begin(scope).await?;
        match work(&mut conn).await {
            Ok(value) => {
                AnsiTransactionManager::commit_transaction(&mut *conn).await?;
                Ok(value)
            }
            Err(error) => {
                // A connection that cannot roll back is broken and leaves the pool by itself.
                let _ = AnsiTransactionManager::rollback_transaction(&mut *conn).await;
                Err(error)
            }
        }
    }

    /// Connections are not tested at check-out; one that died idle fails here, where nothing has happened yet.
    async fn begin(&self, scope: Scope) -> Result<Pooled<'_>, TxError> {
        let sql = scope.begin_sql();
        let mut last = None;
        for _ in 0..=self.inner.max_size() {
            let mut conn = self.get().await?;
            // A future cut off here leaves a broken connection behind, which leaves the pool.
            match tokio::time::timeout(CONNECT, AnsiTransactionManager::begin_transaction_sql(&mut *conn, &sql)).await {
                Ok(Ok(())) => return Ok(conn),
                Ok(Err(error)) => last = Some(error),
                Err(_elapsed) => return Err(Error::unavailable(anyhow::anyhow!("BEGIN was not answered")).into()),
            }
        }
        Err(Error::unavailable(last.unwrap_or(Diesel::BrokenTransactionManager)).into())
    }

    async fn get(&self) -> Result<Pooled<'_>, TxError> {
        self.inner
            .get()
            .await
            .map_err(|error| Error::unavailable(anyhow::anyhow!("no database connection: {error}")).into())
    }

    /// Makes the database an own part of the service's health, looked at every second. It counts as up now: the check for
    /// pending migrations has just read from it.
    pub fn watch(&self, health: &Health, shutdown: &Shutdown) {
        let pool = self.clone();
        health.own("postgres");
        health.seen("postgres", true);
        health.watch(shutdown, "postgres", move || {
            let pool = pool.clone();
            async move { pool.ping().await }
        });
    }

    /// Waits until the database answers, or for so long.
    pub(crate) async fn wait_until_reachable(&self, patience: Duration) {
        let reached = async {
            while !self.ping().await {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let _ = tokio::time::timeout(patience, reached).await;
    }

    /// True when the database answers.
    pub async fn ping(&self) -> bool {
        self.transaction(Scope::Worker, async |_conn| Ok(())).await.is_ok()
    }
}

trait MaxSize {
    fn max_size(&self) -> u32;
}

impl MaxSize for bb8::Pool<Manager> {
    /// How many dead connections can wait in the pool: all it holds now.
    fn max_size(&self) -> u32 {
        self.state().connections
    }
}

fn jitter(attempt: u32) -> Duration {
    let spread = kit::ids::random().as_bytes().first().copied().unwrap_or(0);
    Duration::from_millis(u64::from(spread) / 8) * attempt
}

/// Opens a connection with its session settings; `search_path` and the like come with the URL.
pub(crate) async fn connect(url: String, settings: PgConfig) -> diesel::ConnectionResult<Conn> {
    let bad = |error: tokio_postgres::Error| {
        ConnectionError::BadConnection(
            std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string),
        )
    };
    let mut config: tokio_postgres::Config = url.parse().map_err(bad)?;
    let limits = format!(
        "-c statement_timeout={} -c lock_timeout=1000 -c idle_in_transaction_session_timeout=10000",
        settings.statement_timeout.as_millis()
    );
    let options = config.get_options().map_or(limits.clone(), |given| format!("{given} {limits}"));
    config.options(options).application_name(&settings.application_name).connect_timeout(CONNECT);
    // A host that vanished without a word is noticed by the kernel: by what it does not acknowledge while something is sent,
    // by keepalives while an answer is awaited.
    config.tcp_user_timeout(settings.statement_timeout + CONNECT);
    config.keepalives_idle(Duration::from_secs(5)).keepalives_interval(Duration::from_secs(2)).keepalives_retries(2);
    if config.get_ssl_mode() == SslMode::Disable || config.get_ssl_mode() == SslMode::Prefer {
        let (client, connection) = config.connect(NoTls).await.map_err(bad)?;
        return Conn::try_from_client_and_connection(client, connection).await;
    }
    let tls = rustls::ClientConfig::builder().with_root_certificates(roots()).with_no_client_auth();
    let (client, connection) = config.connect(MakeRustlsConnect::new(tls)).await.map_err(bad)?;
    Conn::try_from_client_and_connection(client, connection).await
}

fn roots() -> rustls::RootCertStore {
    rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}
