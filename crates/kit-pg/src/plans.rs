//! Queries that are planned otherwise than their transaction says.

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
pub async fn without_plans<T>(
    conn: &Conn,
    settings: &[&'static str],
    query: impl AsyncFnOnce(&Conn) -> Result<T, TxError>,
) -> Result<T, TxError> {
    let switch = |to: &str| settings.iter().map(|name| format!("SET LOCAL {name} = {to};")).collect::<String>();
    with_settings(conn, &switch("off"), &switch("on"), query).await
}

/// Runs queries that have one good plan for all parameters in a read that is planned each time: planning takes Postgres longer than finding
/// what begins with a text. The plan is kept while tables grow, so it is one that reads rows in the order of an index: small tables would be
/// read whole, or in another index and sorted. As with [`without_plans`] it costs no round trip, and no other query may be under way on the
/// connection.
///
/// # Errors
/// Those of the queries.
pub async fn with_one_plan<T>(
    conn: &Conn,
    queries: impl AsyncFnOnce(&Conn) -> Result<T, TxError>,
) -> Result<T, TxError> {
    const KEPT: &str =
        "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off";
    const EACH: &str =
        "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL enable_seqscan = on; SET LOCAL enable_sort = on";
    with_settings(conn, KEPT, EACH, queries).await
}

#[expect(clippy::disallowed_methods, reason = "the settings are those of the running transaction and end with it")]
async fn with_settings<T>(
    conn: &Conn,
    set: &str,
    reset: &str,
    query: impl AsyncFnOnce(&Conn) -> Result<T, TxError>,
) -> Result<T, TxError> {
    let (mut before, mut behind) = (conn, conn);
    let (switched, found) = join(before.batch_execute(set), query(conn)).await;
    switched?;
    let found = found?;
    // One poll passes it to the connection's task, before anything that the transaction sends next.
    match behind.batch_execute(reset).now_or_never() {
        Some(Err(error)) => Err(error.into()),
        Some(Ok(())) | None => Ok(found),
    }
}
