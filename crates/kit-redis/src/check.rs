use std::time::Duration;

use redis::Script;
use uuid::Uuid;

use crate::revocations::MinVersion;
use crate::{Redis, RedisDown, Subject};

/// Checks every limit with GCRA (when one refuses, none is charged), then reads the revocations, all in one round trip.
const SCRIPT: &str = r"
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000 + ARGV[1]
local limits = tonumber(ARGV[2])
local wait, by, left, next_at = 0, 0, nil, {}
for i = 1, limits do
  local interval, burst = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
  local at = math.max(tonumber(redis.call('GET', KEYS[i]) or now), now) + interval
  local slack = now - (at - interval * burst)
  if -slack > wait then wait, by = -slack, i - 1 end
  local free = math.max(math.floor(slack / interval), 0)
  if left == nil or free < left then left = free end
  next_at[i] = at
end
if wait == 0 then
  for i = 1, limits do
    redis.call('SET', KEYS[i], string.format('%.3f', next_at[i]), 'PX', math.ceil(next_at[i] - now) + 1)
  end
end
local last = #KEYS
if ARGV[2 * limits + 3] then
  redis.call('SET', KEYS[last], '1', 'PX', ARGV[2 * limits + 3])
  last = last - 1
end
local reply = { math.ceil(wait), by, left or 0 }
for i = limits + 1, last do
  reply[#reply + 1] = redis.call('GET', KEYS[i]) or ''
end
return reply
";

/// A limit on one key: `burst` requests at once, and `burst` more in each `per`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is limited, such as `login:net:1.2.3.4`; contains no e-mail in clear text.
    pub key: String,
    /// Requests allowed in `per`.
    pub burst: u32,
    pub per: Duration,
}

/// How long a client has to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wait {
    /// Zero when no limit refused the request.
    pub time: Duration,
    /// The place of the limit that refuses it for the longest time.
    pub by: usize,
}

impl Wait {
    /// True when no limit refused the request.
    pub fn is_zero(self) -> bool {
        self.time.is_zero()
    }
}

/// What Redis knows about a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    pub wait: Wait,
    /// The requests that are left under the limit with the fewest.
    pub left: u32,
    /// The revocations of the requested subjects, in their order.
    pub revocations: Vec<Option<MinVersion>>,
    /// The id under which auth-service last wrote all revocations; when it is missing or changed, Redis has lost its
    /// data.
    pub generation: String,
}

/// How long the next request would have to wait, without charging it.
const PEEK: &str = r"
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000 + ARGV[1]
local interval, burst = tonumber(ARGV[2]), tonumber(ARGV[3])
local at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + interval
return math.ceil(math.max(at - interval * burst - now, 0))
";

impl Redis {
    /// True when an access token was marked as used.
    ///
    /// # Errors
    /// [`RedisDown`].
    pub async fn was_used(&self, token: Uuid) -> Result<bool, RedisDown> {
        let key = self.used_key(token);
        let found: Option<String> =
            self.run(|mut conn| async move { redis::cmd("GET").arg(key).query_async(&mut conn).await }).await?;
        Ok(found.is_some())
    }

    fn used_key(&self, token: Uuid) -> String {
        self.key(&["used", &token.simple().to_string()])
    }

    /// How long the next request under a limit would have to wait; nothing is charged.
    ///
    /// # Errors
    /// [`RedisDown`].
    pub async fn peek(&self, limit: &Limit) -> Result<Duration, RedisDown> {
        static COMPILED: std::sync::OnceLock<Script> = std::sync::OnceLock::new();
        let script = COMPILED.get_or_init(|| Script::new(PEEK));
        let mut call = script.prepare_invoke();
        call.key(self.key(&["limit", &limit.key]));
        call.arg(self.ahead_ms());
        call.arg(limit.per.as_secs_f64() * 1_000.0 / f64::from(limit.burst.max(1))).arg(limit.burst.max(1));
        let wait: u64 = self.run(|mut conn| async move { call.invoke_async(&mut conn).await }).await?;
        Ok(Duration::from_millis(wait))
    }

    /// Charges the limits and reads the revocations of the subjects in one round trip.
    ///
    /// # Errors
    /// [`RedisDown`]: use the local limiter and the local copy of the revocations.
    pub async fn check(&self, limits: &[Limit], subjects: &[Subject]) -> Result<Checked, RedisDown> {
        self.check_and_mark(limits, subjects, None).await
    }

    /// Like [`Self::check`], and marks an access token as used, for as long as its use matters.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub async fn check_and_mark(
        &self,
        limits: &[Limit],
        subjects: &[Subject],
        used: Option<(Uuid, Duration)>,
    ) -> Result<Checked, RedisDown> {
        static COMPILED: std::sync::OnceLock<Script> = std::sync::OnceLock::new();
        let script = COMPILED.get_or_init(|| Script::new(SCRIPT));
        let mut call = script.prepare_invoke();
        call.arg(self.ahead_ms()).arg(limits.len());
        for limit in limits {
            call.key(self.key(&["limit", &limit.key]));
            call.arg(limit.per.as_secs_f64() * 1_000.0 / f64::from(limit.burst.max(1))).arg(limit.burst.max(1));
        }
        for subject in subjects {
            call.key(self.revocation_key(subject));
        }
        call.key(self.generation_key());
        if let Some((token, kept)) = used {
            call.key(self.used_key(token));
            call.arg(u64::try_from(kept.as_millis()).unwrap_or(u64::MAX).max(1));
        }
        let reply: Vec<String> = self.run(|mut conn| async move { call.invoke_async(&mut conn).await }).await?;
        let mut reply = reply.into_iter();
        let mut number = || reply.next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        let wait = Wait { time: Duration::from_millis(number()), by: usize::try_from(number()).unwrap_or_default() };
        let left = u32::try_from(number()).unwrap_or(u32::MAX);
        let revocations = reply.by_ref().take(subjects.len()).map(|text| MinVersion::parse(&text)).collect();
        Ok(Checked { wait, left, revocations, generation: reply.next().unwrap_or_default() })
    }
}
