use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::dsl::{case_when, now, sql};
use diesel::expression::{SqlLiteral, UncheckedBind};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use kit::lifecycle::Shutdown;
use kit_pg::{Conn, OldRows, Pool, Scope, TxError};
use tokio::sync::watch;
use uuid::Uuid;

use crate::Message;
use crate::schema::outbox;

/// The most messages of one lane that are being delivered at the same time.
const IN_FLIGHT: usize = 32;
/// The time that one delivery may take; shorter than [`VISIBILITY_MS`], so that no message of a running relay is
/// claimed again.
const BUDGET: Duration = Duration::from_secs(20);
/// A claimed message whose result was not recorded within this time is claimed again: its relay has crashed.
const VISIBILITY_MS: i64 = 30_000;
/// A message that was not delivered for so long is given up until an operator resets it.
const MAX_AGE_DAYS: i64 = 7;
/// When so many messages of a topic have failed in a row, its receiver counts as down. A single bad address does not.
const DOWN_AFTER: usize = 3;
/// How often the table is read without a [`Wake`]: for messages whose wake-up was lost or whose next attempt is due.
const POLL: Duration = Duration::from_millis(500);

/// Sent messages, by the time when they were sent.
pub const OLD_OUTBOX: OldRows = OldRows { table: "outbox", condition: "state = 'sent' AND sent_at < $1" };

/// Wakes the relays after a transaction with a message was committed. Clones wake the same relays.
#[derive(Clone, Debug, Default)]
pub struct Wake(watch::Sender<()>);

/// Waits for a [`Wake`]; a wake-up between two waits is not lost.
#[derive(Debug)]
pub struct Listener(watch::Receiver<()>);

impl Wake {
    /// Wakes all listeners.
    pub fn wake(&self) {
        self.0.send_replace(());
    }

    /// A listener for wake-ups from now on.
    pub fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

impl Listener {
    /// Waits for a wake-up; returns at once when there was one since the last wait.
    pub async fn woken(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Which messages a relay sends: topics with a slow receiver have a lane of their own, so that they do not delay
/// others.
#[derive(Clone, Copy, Debug)]
pub enum Lane {
    All,
    Only(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}

/// Sends the messages of one service, or of one lane of it.
#[derive(Clone)]
pub struct Relay {
    pool: Pool,
    wake: Wake,
    lane: Lane,
    /// The messages of each topic that have failed since its last success, a few of them.
    failures: Arc<Mutex<HashMap<String, HashSet<Uuid>>>>,
}

impl Relay {
    /// A relay over the service's pool.
    pub fn new(pool: Pool, wake: Wake, lane: Lane) -> Self {
        Self { pool, wake, lane, failures: Arc::default() }
    }

    /// Starts sending in the background: `deliver` is called at least once for each message, and again when it fails.
    pub fn start<F, Fut>(self, shutdown: &Shutdown, deliver: F)
    where
        F: Fn(Message) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let soft = shutdown.soft.clone();
        shutdown.spawn("outbox", async move {
            let mut listener = self.wake.listen();
            let mut flying = FuturesUnordered::new();
            while !soft.is_cancelled() {
                let claimed = self.claim_beside(&mut flying).await;
                flying.extend(claimed.into_iter().map(|message| self.send(message, &deliver)));
                tokio::select! {
                    Some(()) = flying.next() => {}
                    () = listener.woken(), if flying.len() < IN_FLIGHT => {}
                    () = tokio::time::sleep(POLL), if flying.len() < IN_FLIGHT => {}
                    () = soft.cancelled() => {}
                }
                // Removes all other finished deliveries, so that the next claim can be larger.
                while let Some(Some(())) = flying.next().now_or_never() {}
            }
            while flying.next().await.is_some() {}
            Ok::<(), std::convert::Infallible>(())
        });
    }

    /// Claims messages while deliveries go on: they may hold all connections, and the claim would wait for ever.
    async fn claim_beside<F: Future<Output = ()>>(&self, flying: &mut FuturesUnordered<F>) -> Vec<Message> {
        let mut claim = pin!(self.claim(IN_FLIGHT - flying.len()));
        loop {
            tokio::select! {
                claimed = &mut claim => return claimed,
                Some(()) = flying.next() => {}
            }
        }
    }

    async fn claim(&self, room: usize) -> Vec<Message> {
        let (lane, room) = (self.lane, i64::try_from(room).unwrap_or(0));
        if room == 0 {
            return Vec::new();
        }
        let claimed = self.pool.transaction(Scope::Worker, async |conn: &mut Conn| claim(conn, lane, room).await).await;
        claimed.unwrap_or_else(|error| {
            tracing::warn!(%error, "the outbox cannot be read");
            Vec::new()
        })
    }

    /// Delivers one message and records the result.
    async fn send<F, Fut>(&self, message: Message, deliver: &F)
    where
        F: Fn(Message) -> Fut + Send + Sync,
        Fut: Future<Output = anyhow::Result<()>> + Send,
    {
        let (id, topic, attempts) = (message.id, message.topic.clone(), message.attempts);
        let failure = match tokio::time::timeout(BUDGET, deliver(message)).await {
            Ok(delivered) => delivered.err().map(|error| format!("{error:#}")),
            Err(_elapsed) => Some(format!("no answer within {BUDGET:?}")),
        };
        if let Some(reason) = &failure {
            tracing::warn!(message_id = %id, topic, attempts, reason, "a message was not delivered");
        }
        let settled = self
            .pool
            .transaction(Scope::Worker, async |conn: &mut Conn| settle(conn, id, attempts, failure.as_deref()).await)
            .await;
        match settled {
            Ok(Settled::GivenUp) => {
                tracing::error!(alarm = "message_dead", message_id = %id, topic, "a message is given up; set its state to pending to try again");
            }
            Ok(Settled::Noted) => {}
            Err(error) => {
                tracing::warn!(message_id = %id, %error, "a sent message could not be marked, it will be sent again");
            }
        }
        if self.has_recovered(&topic, id, failure.is_none()) {
            self.hurry(&topic).await;
        }
    }

    /// Counts a success or a failure; true when the receiver of this topic was down until now.
    fn has_recovered(&self, topic: &str, id: Uuid, success: bool) -> bool {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if success {
            return failures.remove(topic).is_some_and(|in_a_row| in_a_row.len() >= DOWN_AFTER);
        }
        let in_a_row = failures.entry(topic.to_owned()).or_default();
        if in_a_row.len() < DOWN_AFTER {
            in_a_row.insert(id);
        }
        false
    }

    /// As soon as one message gets through, those that wait for another attempt are tried too: a code lives minutes.
    async fn hurry(&self, topic: &str) {
        let hurried = self.pool.transaction(Scope::Worker, async |conn: &mut Conn| hurry(conn, topic).await).await;
        match hurried {
            Ok(()) => self.wake.wake(),
            Err(error) => tracing::warn!(topic, %error, "waiting messages keep their back-off"),
        }
    }
}

type Condition = Box<dyn BoxableExpression<outbox::table, Pg, SqlType = Bool>>;

async fn claim(conn: &mut Conn, lane: Lane, room: i64) -> Result<Vec<Message>, TxError> {
    let due = outbox::table.filter(outbox::state.eq("pending").and(outbox::next_attempt_at.le(now)));
    let due: Vec<Uuid> = due
        .filter(of_lane(lane))
        .order(outbox::next_attempt_at)
        .limit(room)
        .select(outbox::id)
        .for_update()
        .skip_locked()
        .load(conn)
        .await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let claimed = diesel::update(outbox::table.filter(outbox::id.eq_any(due)))
        .set((
            outbox::attempts.eq(outbox::attempts + 1),
            outbox::next_attempt_at.eq(in_ms(VISIBILITY_MS)),
            // Only a message that waits for another attempt has an error, not one that is being delivered.
            outbox::last_error.eq(None::<String>),
        ))
        .returning(Message::as_returning())
        .get_results(conn)
        .await?;
    Ok(claimed)
}

fn of_lane(lane: Lane) -> Condition {
    match lane {
        Lane::All => Box::new(true.into_sql::<Bool>()),
        Lane::Only(topics) => Box::new(outbox::topic.eq_any(topics)),
        Lane::AllBut(topics) => Box::new(outbox::topic.ne_all(topics)),
    }
}

/// Lets every message of a topic that waits for another attempt be tried now.
async fn hurry(conn: &mut Conn, topic: &str) -> Result<(), TxError> {
    let waiting = outbox::table
        .filter(outbox::state.eq("pending"))
        .filter(outbox::last_error.is_not_null())
        .filter(outbox::next_attempt_at.gt(now))
        .filter(outbox::topic.eq(topic));
    diesel::update(waiting).set(outbox::next_attempt_at.eq(now)).execute(conn).await?;
    Ok(())
}

/// What became of a message whose delivery has ended.
enum Settled {
    /// It is marked as sent, or waits for another attempt.
    Noted,
    /// It is too old to be tried again.
    GivenUp,
}

async fn settle(conn: &mut Conn, id: Uuid, attempts: i32, failure: Option<&str>) -> Result<Settled, TxError> {
    // A relay that was delayed must not undo what a later attempt or an operator has done meanwhile.
    let row = outbox::table.find(id).filter(outbox::state.eq("pending")).filter(outbox::attempts.eq(attempts));
    let Some(reason) = failure else {
        let sent = (outbox::state.eq("sent"), outbox::sent_at.eq(in_ms(0).nullable()));
        diesel::update(row).set(sent).execute(conn).await?;
        return Ok(Settled::Noted);
    };
    let is_old = outbox::created_at.lt(in_ms(-MAX_AGE_DAYS * 86_400_000));
    let state = case_when(is_old, "dead".into_sql::<Text>()).otherwise("pending");
    let next = outbox::next_attempt_at.eq(in_ms(back_off_ms(attempts)));
    let states: Vec<String> = diesel::update(row)
        .set((outbox::state.eq(state), next, outbox::last_error.eq(reason)))
        .returning(outbox::state)
        .get_results(conn)
        .await?;
    Ok(if states.iter().any(|state| state == "dead") { Settled::GivenUp } else { Settled::Noted })
}

/// The time `ms` milliseconds from now by the database's clock, so that all replicas compare claims by one clock.
pub(crate) fn in_ms(ms: i64) -> UncheckedBind<SqlLiteral<Timestamptz>, diesel::dsl::AsExprOf<i64, BigInt>> {
    sql::<Timestamptz>("now() + interval '1 millisecond' * ").bind::<BigInt, _>(ms)
}

/// The back-off: 200 ms, doubled with every attempt, at most 10 s in the first ten minutes and 5 min afterwards.
fn back_off_ms(attempts: i32) -> i64 {
    let doublings = u32::try_from(attempts.clamp(1, 12) - 1).unwrap_or(0);
    (200_i64 << doublings).min(if attempts <= 60 { 10_000 } else { 300_000 })
}

#[cfg(test)]
mod tests {
    use super::back_off_ms;

    #[test]
    fn the_back_off_doubles_from_a_fifth_of_a_second_to_ten_seconds_and_later_to_five_minutes() {
        assert_eq!([1, 2, 3, 12, 60, 61].map(back_off_ms), [200, 400, 800, 10_000, 10_000, 300_000]);
    }
}
