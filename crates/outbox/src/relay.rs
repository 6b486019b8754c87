use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::dsl::{now, sql};
use diesel::expression::{SqlLiteral, UncheckedBind};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::RunQueryDsl;
use futures_util::future::join_all;
use kit::lifecycle::Shutdown;
use kit_pg::{Conn, Pool, Scope, TxError};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::Message;
use crate::schema::outbox;

/// Messages claimed at once, and sent beside each other. A batch waits for its slowest message.
const BATCH: i64 = 32;
/// A claimed message that was not settled by then is claimed again: its relay has died.
const VISIBILITY_MS: i64 = 30_000;
/// Attempts after which a message is dead and waits for a person; with the back-off that is about a week.
const MAX_ATTEMPTS: i32 = 2_000;
/// The net under [`Wake`]: messages whose wake-up was lost, and those whose next attempt is due.
const POLL: Duration = Duration::from_millis(500);

/// Tells the relay that a transaction with a message was committed. Clones wake the same relay.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Wakes the relay now.
    pub fn wake(&self) {
        self.0.notify_one();
    }

    /// Waits until it was woken.
    pub async fn woken(&self) {
        self.0.notified().await;
    }
}

/// Sends the messages of one service.
#[derive(Clone)]
pub struct Relay {
    pool: Pool,
    wake: Wake,
}

impl Relay {
    /// A relay over the service's pool.
    pub fn new(pool: Pool, wake: Wake) -> Self {
        Self { pool, wake }
    }

    /// Starts sending in the background: `deliver` gets each message, at least once, and more often when it fails.
    pub fn start<F, Fut>(self, shutdown: &Shutdown, deliver: F)
    where
        F: Fn(Message) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let soft = shutdown.soft.clone();
        shutdown.spawn("outbox", async move {
            while !soft.is_cancelled() {
                let sent = self.round(&deliver).await.unwrap_or_else(|error| {
                    tracing::warn!(%error, "the outbox cannot be read");
                    0
                });
                if sent == 0 {
                    tokio::select! {
                        () = self.wake.woken() => {}
                        () = tokio::time::sleep(POLL) => {}
                        () = soft.cancelled() => {}
                    }
                }
            }
            Ok::<(), std::convert::Infallible>(())
        });
    }

    /// Claims a batch, sends it, settles it; returns how many were claimed.
    async fn round<F, Fut>(&self, deliver: &F) -> kit::Result<usize>
    where
        F: Fn(Message) -> Fut + Send + Sync,
        Fut: Future<Output = anyhow::Result<()>> + Send,
    {
        let batch = self.pool.transaction(Scope::Worker, async |conn: &mut Conn| claim(conn).await).await?;
        let claimed = batch.len();
        join_all(batch.into_iter().map(|message| async {
            let (id, topic, attempts) = (message.id, message.topic.clone(), message.attempts);
            let failure = deliver(message).await.err().map(|error| format!("{error:#}"));
            if failure.is_some() && attempts >= MAX_ATTEMPTS {
                tracing::error!(alarm = "message_dead", message_id = %id, topic, "a message is given up; set its state to pending to try again");
            }
            if let Some(reason) = &failure {
                tracing::warn!(message_id = %id, topic, attempts, reason, "a message was not delivered");
            }
            let failure = &failure;
            let settled = self
                .pool
                .transaction(Scope::Worker, async |conn: &mut Conn| {
                    settle(conn, id, attempts, failure.as_deref()).await
                })
                .await;
            if let Err(error) = settled {
                tracing::warn!(message_id = %id, %error, "a sent message could not be marked, it will be sent again");
            }
        }))
        .await;
        Ok(claimed)
    }
}

async fn claim(conn: &mut Conn) -> Result<Vec<Message>, TxError> {
    let due: Vec<Uuid> = outbox::table
        .filter(outbox::state.eq("pending").and(outbox::next_attempt_at.le(now)))
        .order(outbox::next_attempt_at)
        .limit(BATCH)
        .select(outbox::id)
        .for_update()
        .skip_locked()
        .load(conn)
        .await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let claimed = diesel::update(outbox::table.filter(outbox::id.eq_any(due)))
        .set((outbox::attempts.eq(outbox::attempts + 1), outbox::next_attempt_at.eq(in_ms(VISIBILITY_MS))))
        .returning(Message::as_returning())
        .get_results(conn)
        .await?;
    Ok(claimed)
}

async fn settle(conn: &mut Conn, id: Uuid, attempts: i32, failure: Option<&str>) -> Result<(), TxError> {
    let row = outbox::table.find(id);
    match failure {
        None => {
            diesel::update(row)
                .set((outbox::state.eq("sent"), outbox::sent_at.eq(in_ms(0).nullable())))
                .execute(conn)
                .await?
        }
        Some(reason) => {
            let state = if attempts >= MAX_ATTEMPTS { "dead" } else { "pending" };
            diesel::update(row)
                .set((
                    outbox::state.eq(state),
                    outbox::next_attempt_at.eq(in_ms(back_off_ms(attempts))),
                    outbox::last_error.eq(reason),
                ))
                .execute(conn)
                .await?
        }
    };
    Ok(())
}

/// So long from now, on the database's clock: claims of several replicas are compared by one clock.
fn in_ms(ms: i64) -> UncheckedBind<SqlLiteral<Timestamptz>, diesel::dsl::AsExprOf<i64, BigInt>> {
    sql::<Timestamptz>("now() + interval '1 millisecond' * ").bind::<BigInt, _>(ms)
}

/// 200 ms, doubling, at most 5 min.
fn back_off_ms(attempts: i32) -> i64 {
    let doublings = u32::try_from(attempts.clamp(1, 12) - 1).unwrap_or(0);
    (200_i64 << doublings).min(300_000)
}

/// Forgets messages sent before `before`; returns how many.
///
/// # Errors
/// When the rows cannot be deleted.
pub async fn purge(conn: &mut Conn, before: DateTime<Utc>) -> Result<usize, TxError> {
    let old = outbox::table.filter(outbox::state.eq("sent").and(outbox::sent_at.lt(before)));
    Ok(diesel::delete(old).execute(conn).await?)
}

#[cfg(test)]
mod tests {
    use super::back_off_ms;

    #[test]
    fn the_back_off_doubles_from_a_fifth_of_a_second_to_five_minutes() {
        assert_eq!([1, 2, 3, 12, 30].map(back_off_ms), [200, 400, 800, 300_000, 300_000]);
    }
}
