//! Queries for which the planner must not take what looks cheapest to it.

use diesel_async::SimpleAsyncConnection;
use futures_util::FutureExt;
use futures_util::future::join;

use crate::{Conn, TxError};

/// Runs a query while the planner avoids some kinds of plans, named by their settings (`enable_seqscan`). It costs no round trip: the
/// settings go to Postgres right before the query, and back right behind it. No other query may be under way on the connection: it
/// would be planned with them too.
///
/// # Errors
/// Those of the query.
#[expect(clippy::disallowed_methods, reason = "the settings are those of the running transaction and end with it")]
pub async fn without_plans<T>(
    conn: &Conn,
    settings: &[&'static str],
    query: impl AsyncFnOnce(&Conn) -> Result<T, TxError>,
) -> Result<T, TxError> {
    let switch = |to: &str| settings.iter().map(|name| format!("SET LOCAL {name} = {to};")).collect::<String>();
    let (off, on) = (switch("off"), switch("on"));
    let (mut before, mut behind) = (conn, conn);
    let (switched, found) = join(before.batch_execute(&off), query(conn)).await;
    switched?;
    let found = found?;
    // One poll passes it to the connection's task, before anything that the transaction sends next.
    match behind.batch_execute(&on).now_or_never() {
        Some(Err(error)) => Err(error.into()),
        Some(Ok(())) | None => Ok(found),
    }
}
