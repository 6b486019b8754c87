//! What really happened to a payment: Razorpay is asked by id, and the payment's state is advanced accordingly.
//! Webhooks, callbacks and the poll all lead here, so it does not matter which of them arrives, or arrives first.

use chrono::Duration;
use kit::Error;
use kit::ids::TenantId;
use kit_pg::{Conn, Scope, TxError};
use serde_json::json;
use uuid::Uuid;

use super::adoption;
use super::states::{self, State};
use crate::App;
use crate::razorpay::{GatewayError, GatewayPayment, Link, LinkStatus};
use crate::store::payments::{self, Payment};
use crate::store::subscriptions;

/// How long a link may take to appear when the answer to its creation was lost.
const APPEARS_WITHIN: Duration = Duration::minutes(10);

/// What Razorpay has answered about a payment.
struct Facts {
    link: Link,
    /// Captured payments of the link's order.
    captured: Vec<GatewayPayment>,
}

/// Asks Razorpay about a payment and advances its state; returns the new state.
///
/// # Errors
/// `Unavailable` when Razorpay or the database cannot be asked now.
pub(crate) async fn settle(app: &App, id: Uuid, cause: &str) -> Result<State, Error> {
    let row = look_at(app, id).await?;
    let state = row.state()?;
    if matches!(state, State::Activated | State::Refunded) {
        return Ok(state);
    }
    let row = match state {
        State::Created => match find_link(app, &row).await? {
            Some(row) => row,
            None => return Ok(State::Failed),
        },
        _ => row,
    };
    let Some(link_id) = &row.razorpay_payment_link_id else { return row.state() };
    let facts = facts(app, link_id).await.map_err(Error::unavailable)?;
    let outcome =
        app.pg.transaction(Scope::Worker, async |conn: &mut Conn| apply(conn, app, id, &facts, cause).await).await?;
    app.wake.wake();
    Ok(outcome)
}

async fn look_at(app: &App, id: Uuid) -> Result<Payment, Error> {
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            let mut row = payments::find_for_update(conn, id).await?;
            row.checked_at = Some(now);
            payments::update(conn, &row).await?;
            Ok(row)
        })
        .await
}

/// Looks for the link of an intent when the answer to its creation was lost. Returns the payment, or `None` when it was
/// set to FAILED because no link appeared in time.
async fn find_link(app: &App, row: &Payment) -> Result<Option<Payment>, Error> {
    let found = app.razorpay.link_by_reference(&row.reference_id).await.map_err(Error::unavailable)?;
    if let Some(link) = found.filter(|link| adoption::fits(row, link)) {
        let adopted = app
            .pg
            .transaction(Scope::Worker, async |conn: &mut Conn| {
                adoption::adopt(conn, app, row, &link, "link found by its reference").await
            })
            .await?;
        return Ok(Some(adopted));
    }
    let now = app.clock.now();
    if now - row.created_at < APPEARS_WITHIN {
        return Ok(Some(row.clone()));
    }
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            let mut row = payments::find_for_update(conn, row.id).await?;
            if row.state()? != State::Created {
                return Ok(Some(row));
            }
            states::advance(conn, &mut row, State::Failed, "no link was made", now).await?;
            Ok(None)
        })
        .await
}

async fn facts(app: &App, link_id: &str) -> Result<Facts, GatewayError> {
    let link = app.razorpay.link(link_id).await?;
    let captured = match &link.order_id {
        Some(order) => app.razorpay.payments_of_order(order).await?,
        None => Vec::new(),
    };
    Ok(Facts { link, captured: captured.into_iter().filter(GatewayPayment::captured).collect() })
}

/// Advances the state of a payment as far as the facts allow.
async fn apply(conn: &mut Conn, app: &App, id: Uuid, facts: &Facts, cause: &str) -> Result<State, TxError> {
    let now = app.clock.now();
    let mut row = payments::find_for_update(conn, id).await?;
    if row.razorpay_order_id.is_none() && facts.link.order_id.is_some() {
        row.razorpay_order_id.clone_from(&facts.link.order_id);
        payments::update(conn, &row).await?;
    }
    match facts.link.status {
        LinkStatus::Paid => {
            states::advance(conn, &mut row, State::Paid, cause, now).await?;
        }
        LinkStatus::Expired | LinkStatus::Cancelled if facts.captured.is_empty() => {
            let why = if facts.link.status == LinkStatus::Expired { "link expired" } else { "link cancelled" };
            states::advance(conn, &mut row, State::Failed, why, now).await?;
            return Ok(row.state()?);
        }
        // A captured payment always counts, also on an expired link.
        _ if !facts.captured.is_empty() => {
            states::advance(conn, &mut row, State::Paid, cause, now).await?;
        }
        _ => return Ok(row.state()?),
    }
    verify_and_activate(conn, app, &mut row, facts, cause).await
}

async fn verify_and_activate(
    conn: &mut Conn,
    app: &App,
    row: &mut Payment,
    facts: &Facts,
    cause: &str,
) -> Result<State, TxError> {
    let now = app.clock.now();
    if row.state()? == State::Paid {
        let full = facts
            .captured
            .iter()
            .find(|payment| payment.amount == row.amount_minor && payment.currency == row.currency);
        let agrees = adoption::fits(row, &facts.link) && facts.link.amount_paid == row.amount_minor;
        let Some(payment) = full.filter(|_| agrees) else {
            app.metrics.event("payment_mismatch");
            tracing::error!(alarm = "payment_mismatch", payment = %row.id, "what was paid is not what was asked for");
            "What was paid is not what was asked for.".clone_into(&mut row.error_message);
            payments::update(conn, row).await?;
            return Ok(State::Paid);
        };
        row.razorpay_payment_id = Some(payment.id.clone());
        states::advance(conn, row, State::Verified, cause, now).await?;
    }
    if row.state()? == State::Verified {
        match subscriptions::grant(conn, TenantId(row.tenant_id), row.id, now).await? {
            Some(subscription) => {
                states::advance(conn, row, State::Activated, cause, now).await?;
                announce(conn, row, subscription.version).await?;
            }
            None if row.error_message.is_empty() => {
                // The tenant has also paid another link: the payment is recorded and has to be refunded.
                "Premium was active already: to be refunded.".clone_into(&mut row.error_message);
                payments::update(conn, row).await?;
            }
            None => {}
        }
    }
    Ok(row.state()?)
}

/// Writes the event for auth-service and songlist-service that a tenant is premium.
async fn announce(conn: &mut Conn, row: &Payment, version: i64) -> Result<(), TxError> {
    let message = outbox::NewMessage {
        topic: "premium.changed",
        tenant_id: Some(row.tenant_id),
        aggregate_id: row.tenant_id,
        version,
        payload: json!({ "is_premium": true }),
        request_id: row.id.to_string(),
    };
    outbox::emit(conn, message).await
}
