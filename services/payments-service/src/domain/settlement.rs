//! What really happened to a payment: Razorpay is asked, and its answers are recorded. Webhooks, callbacks, the poll and operators
//! all lead here, so it does not matter which of them arrives, or arrives first.

use chrono::Duration;
use kit::Error;
use kit_pg::{Conn, Scope};
use uuid::Uuid;

use super::recording::{self, Recorded};
use super::state_machine::facts::Fact;
use super::state_machine::state::PaymentState;
use super::status::Status;
use super::{asking, sending};
use crate::App;
use crate::store::payments::{self, Payment};

/// The poll does not ask about a payment for so long after somebody began to.
const ASKING: Duration = Duration::seconds(20);
/// A question without an answer is asked again after this time.
const UNANSWERED: Duration = Duration::minutes(5);

/// Asks Razorpay about a payment and records the answers; returns the new status.
///
/// # Errors
/// `Unavailable` when Razorpay or the database cannot be asked now. What was learnt before is recorded.
pub(crate) async fn settle(app: &App, id: Uuid, cause: &str) -> Result<Status, Error> {
    match look(app, id, false).await? {
        Some((row, state)) => ask(app, &row, &state, cause).await,
        None => Err(Error::not_found()),
    }
}

/// The same when nobody else has asked meanwhile; else nothing happens.
///
/// # Errors
/// As above.
pub(crate) async fn settle_if_due(app: &App, id: Uuid, cause: &str) -> Result<Option<Status>, Error> {
    match look(app, id, true).await? {
        Some((row, state)) => ask(app, &row, &state, cause).await.map(Some),
        None => Ok(None),
    }
}

/// Reads a payment and keeps the poll away from it for a while.
async fn look(app: &App, id: Uuid, only_due: bool) -> Result<Option<(Payment, PaymentState)>, Error> {
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            let mut row = payments::find_for_update(conn, id).await?;
            if only_due && row.check_after.is_none_or(|due| due > now) {
                return Ok(None);
            }
            row.checked_at = Some(now);
            row.check_after = Some(now + ASKING);
            payments::update(conn, &row).await?;
            let state = recording::state_of(conn, &row).await?;
            Ok(Some((row, state)))
        })
        .await
}

async fn ask(app: &App, row: &Payment, state: &PaymentState, cause: &str) -> Result<Status, Error> {
    let (facts, error) = asking::about(app, row, state).await;
    app.crash.point("asked");
    let again = app.clock.now() + UNANSWERED;
    let recorded = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            let recorded = recording::record(conn, app, row.id, &facts, cause).await?;
            // What was not answered was not learnt.
            if error.is_some() {
                payments::check_again(conn, row.id, again).await?;
            }
            app.crash.point("settling");
            Ok(recorded)
        })
        .await?;
    app.crash.point("settled");
    recorded.raise_alarms(app);
    app.wake.wake();
    match error {
        Some(error) => Err(Error::unavailable(error)),
        None => send_back(app, recorded).await?.row.status(),
    }
}

/// Does at Razorpay what a payment still wants there: refunds that were not answered, and the end of a link that was replaced. After
/// a crash the next look at the payment does it.
async fn send_back(app: &App, recorded: Recorded) -> Result<Recorded, Error> {
    let mut facts = sending::refunds(app, &recorded.row, &recorded.state).await;
    if let Some(link) = recorded.state.link.as_ref().filter(|_| recorded.state.to_cancel()) {
        match app.razorpay.cancel_link(&link.id).await {
            Ok(link) => facts.push(Fact::Link(asking::link_fact(&link))),
            // It may have been paid in this moment, which the next look will tell.
            Err(error) => tracing::warn!(payment = %recorded.row.id, %error, "a link was not cancelled"),
        }
    }
    if facts.is_empty() {
        return Ok(recorded);
    }
    let (id, cause) = (recorded.row.id, "answer of Razorpay");
    let recorded = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| recording::record(conn, app, id, &facts, cause).await)
        .await?;
    recorded.raise_alarms(app);
    app.wake.wake();
    Ok(recorded)
}
