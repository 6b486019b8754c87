//! What really happened to a payment: Razorpay is asked, and its answers are recorded. Webhooks, callbacks, the poll and operators
//! all lead here, so it does not matter which of them arrives, or arrives first.

use chrono::Duration;
use kit::Error;
use kit_pg::{Conn, Scope};
use uuid::Uuid;

use super::recording::{self, Recorded};
use super::state_machine::facts::Fact;
use super::status::Status;
use super::{asking, refunds};
use crate::App;
use crate::store::payments;

/// Nobody else asks about a payment for so long after somebody began to.
const ASKING: Duration = Duration::seconds(20);

/// Asks Razorpay about a payment and records the answers; returns the new status.
///
/// # Errors
/// `Unavailable` when Razorpay or the database cannot be asked now. What was learnt before is recorded.
pub(crate) async fn settle(app: &App, id: Uuid, cause: &str) -> Result<Status, Error> {
    let now = app.clock.now();
    let (row, state) = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            let mut row = payments::find_for_update(conn, id).await?;
            row.checked_at = Some(now);
            row.check_after = Some(now + ASKING);
            payments::update(conn, &row).await?;
            let state = recording::state_of(conn, &row).await?;
            Ok((row, state))
        })
        .await?;
    let (facts, error) = asking::about(app, &row, &state).await;
    let recorded = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| recording::record(conn, app, id, &facts, cause).await)
        .await?;
    recorded.raise_alarms(app);
    app.wake.wake();
    let recorded = send_back(app, recorded).await?;
    match error {
        Some(error) => Err(Error::unavailable(error)),
        None => recorded.row.status(),
    }
}

/// Does at Razorpay what a payment still wants there: refunds that were not answered, and the end of a link that was replaced. After
/// a crash the next look at the payment does it.
async fn send_back(app: &App, recorded: Recorded) -> Result<Recorded, Error> {
    let mut facts = refunds::send(app, &recorded.row, &recorded.state).await;
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
