use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bb8_redis::RedisConnectionManager;
use chrono::{DateTime, Utc};
use kit::env::Env;
use kit::tls::Authorities;
use kit::{Clock, Secret};
use redis::aio::MultiplexedConnection;
use redis::{Client, ConnectionInfo, IntoConnectionInfo, RedisError, RedisResult, TlsCertificates};
use url::Url;

/// Failures in a row after which the circuit breaker opens: Redis is not called for [`REST`].
const PATIENCE: u32 = 3;
/// How long the circuit breaker stays open.
const REST: Duration = Duration::from_millis(1_000);

/// Where Redis is and how it is used.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    pub url: Secret,
    /// Who proves that a `rediss://` server is the right one.
    pub authorities: Authorities,
    /// Put before every key; each test has its own.
    pub prefix: String,
    /// How long one round trip may take; after that the local replacement is used.
    pub budget: Duration,
}

impl RedisConfig {
    /// Reads `REDIS_URL` and `REDIS_PREFIX`.
    pub fn from_env(env: &mut Env) -> Self {
        let url = env.secret("REDIS_URL", "redis://127.0.0.1:6379/0", 8, "Redis; rediss:// for TLS");
        if let Ok(parsed) = Url::parse(url.expose())
            && parsed.scheme() == "redis"
            && !env.may_be_plain("redis", parsed.host_str().unwrap_or_default())
        {
            env.problem("REDIS_URL must begin with rediss:// (or set ALLOW_PLAINTEXT=redis)");
        }
        Self {
            url,
            authorities: Authorities::from_env(
                env,
                "REDIS_CA_FILE",
                "PEM file of the authorities that sign Redis' certificate; empty: the public ones",
            ),
            prefix: env.text("REDIS_PREFIX", "songlist:", "Put before every key in Redis"),
            budget: Duration::from_millis(env.get("REDIS_BUDGET_MS", 50, "What Redis may cost one request, in ms")),
        }
    }
}

/// Redis did not answer in time; the caller uses its local replacement.
#[derive(Debug)]
pub struct RedisDown;

/// The connection to Redis, opened again when it breaks. Clones share it.
#[derive(Clone)]
pub struct Redis {
    pool: bb8::Pool<Manager>,
    prefix: Arc<str>,
    budget: Duration,
    breaker: Arc<Breaker>,
    clock: Clock,
}

impl Redis {
    /// Connects lazily.
    ///
    /// # Errors
    /// When the URL is not one of Redis.
    pub fn new(config: &RedisConfig) -> anyhow::Result<Self> {
        let manager = Manager(RedisConnectionManager::new(connection_info(config)?)?);
        let pool = bb8::Pool::builder()
            // One connection carries the commands of all requests. It is taken from the pool only while its handle is
            // cloned.
            .max_size(1)
            .test_on_check_out(false)
            .connection_timeout(config.budget)
            .build_unchecked(manager);
        let (prefix, breaker) = (config.prefix.as_str().into(), Arc::default());
        Ok(Self { pool, prefix, budget: config.budget, breaker, clock: Clock::system() })
    }

    /// Lets limits follow a clock that tests move; those of production follow the clock of Redis.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// How far time is ahead of the clock of Redis, in milliseconds.
    pub(crate) fn ahead_ms(&self) -> u64 {
        u64::try_from(self.clock.ahead().as_millis()).unwrap_or(0)
    }

    /// A key with the prefix, made from parts such as `rev`, `user` and an id.
    pub(crate) fn key(&self, parts: &[&str]) -> String {
        format!("{}{}", self.prefix, parts.join(":"))
    }

    /// Runs one command (or script) within the budget.
    ///
    /// # Errors
    /// [`RedisDown`] when it failed, was too slow, or the breaker is open.
    pub(crate) async fn run<T, F, Fut>(&self, command: F) -> Result<T, RedisDown>
    where
        F: FnOnce(MultiplexedConnection) -> Fut,
        Fut: Future<Output = RedisResult<T>>,
    {
        if self.breaker.open() {
            return Err(RedisDown);
        }
        let mut used = None;
        let outcome = tokio::time::timeout(self.budget, async {
            let (handle, broken) = self.connection().await?;
            let broken = used.insert(broken);
            let value = command(handle).await;
            if value.as_ref().is_err_and(|error| error.is_io_error() || error.is_connection_dropped()) {
                broken.store(true, Ordering::Relaxed);
            }
            value.map_err(|error| error.to_string())
        })
        .await;
        if let (Err(_elapsed), Some(broken)) = (&outcome, &used) {
            // Redis accepted the connection and did not answer: the next command opens another one.
            broken.store(true, Ordering::Relaxed);
        }
        match outcome {
            Ok(Ok(value)) => {
                self.breaker.succeeded();
                Ok(value)
            }
            Ok(Err(reason)) => self.failed(&reason),
            Err(_elapsed) => self.failed("no answer within the budget"),
        }
    }

    /// A handle of the connection, and the flag that marks it as broken.
    async fn connection(&self) -> Result<(MultiplexedConnection, Arc<AtomicBool>), String> {
        loop {
            let shared = self.pool.get().await.map_err(|error| error.to_string())?;
            // The pool drops a broken connection when it is returned.
            if !shared.broken.load(Ordering::Relaxed) {
                return Ok((shared.inner.clone(), shared.broken.clone()));
            }
        }
    }

    fn failed<T>(&self, reason: &str) -> Result<T, RedisDown> {
        if self.breaker.failed() {
            tracing::warn!(reason, "Redis does not answer, local answers are used");
        }
        Err(RedisDown)
    }

    /// Deletes every key with this prefix: for tests of what happens when Redis loses its data.
    ///
    /// # Errors
    /// [`RedisDown`].
    pub async fn forget_all(&self) -> Result<(), RedisDown> {
        let pattern = format!("{}*", self.prefix);
        let script = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end return 0";
        let command = redis::cmd("EVAL").arg(script).arg(0).arg(pattern).to_owned();
        self.run(|mut conn| async move { command.query_async::<i64>(&mut conn).await }).await.map(|_done| ())
    }

    /// What Redis does when its memory is full; every policy except `noeviction` could drop revocations.
    ///
    /// # Errors
    /// [`RedisDown`].
    pub async fn eviction_policy(&self) -> Result<String, RedisDown> {
        let command = redis::cmd("CONFIG").arg("GET").arg("maxmemory-policy").to_owned();
        let pair: Vec<String> = self.run(|mut conn| async move { command.query_async(&mut conn).await }).await?;
        Ok(pair.into_iter().nth(1).unwrap_or_default())
    }

    /// The time of Redis; `None` when it does not answer.
    pub async fn time(&self) -> Option<DateTime<Utc>> {
        let asked = self.run(|mut conn| async move { redis::cmd("TIME").query_async::<(i64, i64)>(&mut conn).await });
        let (seconds, _micros) = asked.await.ok()?;
        DateTime::from_timestamp(seconds, 0)
    }

    /// True when Redis answers.
    pub async fn ping(&self) -> bool {
        self.run(|mut conn| async move { redis::cmd("PING").query_async::<String>(&mut conn).await }).await.is_ok()
    }
}

fn connection_info(config: &RedisConfig) -> RedisResult<ConnectionInfo> {
    let url = config.url.expose();
    let Some(pem) = config.authorities.private().filter(|_pem| url.starts_with("rediss://")) else {
        return url.into_connection_info();
    };
    let certificates = TlsCertificates { client_tls: None, root_cert: Some(pem.as_bytes().to_vec()) };
    Ok(Client::build_with_tls(url, certificates)?.get_connection_info().clone())
}

#[derive(Default)]
struct Breaker {
    failures: AtomicU32,
    /// The time when Redis may be tried again, in milliseconds since the breaker was first used.
    closed_again_at: AtomicU64,
}

impl Breaker {
    fn open(&self) -> bool {
        self.closed_again_at.load(Ordering::Relaxed) > millis()
    }

    /// Counts a failure; returns true when it opened the breaker.
    fn failed(&self) -> bool {
        let opened = self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= PATIENCE;
        if opened {
            self.closed_again_at.store(millis() + u64::try_from(REST.as_millis()).unwrap_or(1_000), Ordering::Relaxed);
        }
        opened
    }

    fn succeeded(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }
}

fn millis() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// bb8-redis never reports a connection as broken; this wrapper does after an I/O error, so that the pool drops it.
pub(crate) struct Shared {
    inner: MultiplexedConnection,
    broken: Arc<AtomicBool>,
}

struct Manager(RedisConnectionManager);

impl bb8::ManageConnection for Manager {
    type Connection = Shared;
    type Error = RedisError;

    async fn connect(&self) -> Result<Shared, RedisError> {
        Ok(Shared { inner: self.0.connect().await?, broken: Arc::default() })
    }

    async fn is_valid(&self, conn: &mut Shared) -> Result<(), RedisError> {
        self.0.is_valid(&mut conn.inner).await
    }

    fn has_broken(&self, conn: &mut Shared) -> bool {
        conn.broken.load(Ordering::Relaxed)
    }
}
