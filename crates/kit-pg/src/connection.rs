use std::time::Duration;

use bb8::ManageConnection;
use diesel::ConnectionError;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, PoolError, RecyclingMethod};
use futures_util::FutureExt;
use tokio_postgres::NoTls;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::PgConfig;
use crate::target::Target;

/// The connection that store functions take: `&Conn` when they read, `&mut Conn` when they write.
pub type Conn = AsyncPgConnection;

/// The time that opening a TCP connection may take, and also BEGIN on an open one.
pub(crate) const CONNECT: Duration = Duration::from_secs(2);

/// A connection of the pool.
pub(crate) struct PooledConn {
    pub conn: Conn,
    /// True from the first byte of a read until its COMMIT is queued. A read that is cancelled in between leaves a transaction
    /// open with a tenant set, so the connection must not be used again.
    pub reading: bool,
}

/// Opens connections, and decides which of them must leave the pool.
pub(crate) struct Manager {
    inner: AsyncDieselConnectionManager<Conn>,
    tls: Option<MakeRustlsConnect>,
}

impl Manager {
    pub(crate) fn new(config: &PgConfig) -> Self {
        let mut manager = ManagerConfig::default();
        manager.recycling_method = RecyclingMethod::Fast;
        let settings = config.clone();
        manager.custom_setup = Box::new(move |url| connect(url.to_owned(), settings.clone()).boxed());
        // A URL that cannot be read fails when a connection is opened.
        let tls = Target::parse(config.url.expose()).ok().and_then(|target| target.tls);
        Self { inner: AsyncDieselConnectionManager::new_with_config(config.url.expose(), manager), tls }
    }
}

impl ManageConnection for Manager {
    type Connection = PooledConn;
    type Error = PoolError;

    async fn connect(&self) -> Result<PooledConn, PoolError> {
        Ok(PooledConn { conn: self.inner.connect().await?, reading: false })
    }

    async fn is_valid(&self, pooled: &mut PooledConn) -> Result<(), PoolError> {
        self.inner.is_valid(&mut pooled.conn).await
    }

    fn has_broken(&self, pooled: &mut PooledConn) -> bool {
        let broken = pooled.reading || self.inner.has_broken(&mut pooled.conn);
        if broken {
            cancel(&pooled.conn, self.tls.clone());
        }
        broken
    }
}

/// Asks Postgres to stop what a connection still does that is given up, because nobody waits for it any more.
fn cancel(conn: &Conn, tls: Option<MakeRustlsConnect>) {
    let token = conn.cancel_token();
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        let cancelled = async move {
            match tls {
                Some(tls) => token.cancel_query(tls).await,
                None => token.cancel_query(NoTls).await,
            }
        };
        drop(runtime.spawn(tokio::time::timeout(CONNECT, cancelled)));
    }
}

/// Opens a connection with its session settings; `search_path` and the like come with the URL.
pub(crate) async fn connect(url: String, settings: PgConfig) -> diesel::ConnectionResult<Conn> {
    let bad = |error: tokio_postgres::Error| {
        ConnectionError::BadConnection(
            std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string),
        )
    };
    let Target { mut config, tls } =
        Target::parse(&url).map_err(|error| ConnectionError::InvalidConnectionUrl(format!("{error:#}")))?;
    let limits = format!(
        "-c statement_timeout={} -c lock_timeout=1000 -c idle_in_transaction_session_timeout=10000 \
         -c plan_cache_mode=force_generic_plan",
        settings.statement_timeout.as_millis()
    );
    let options = config.get_options().map_or(limits.clone(), |given| format!("{given} {limits}"));
    config.options(options).application_name(&settings.application_name).connect_timeout(CONNECT);
    // The kernel notices a host that is gone: while sending, by missing acknowledgements; while waiting for an answer,
    // by keepalives.
    config.tcp_user_timeout(settings.statement_timeout + CONNECT);
    config.keepalives_idle(Duration::from_secs(5)).keepalives_interval(Duration::from_secs(2)).keepalives_retries(2);
    let Some(tls) = tls else {
        let (client, connection) = config.connect(NoTls).await.map_err(bad)?;
        return Conn::try_from_client_and_connection(client, connection).await;
    };
    let (client, connection) = config.connect(tls).await.map_err(bad)?;
    Conn::try_from_client_and_connection(client, connection).await
}
