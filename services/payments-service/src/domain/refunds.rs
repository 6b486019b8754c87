//! Money goes back. What is wanted is written down first; the refund is made with the key of the wish (`sending`), so that the same
//! wish never makes a second one, whoever crashes when.

use futures_util::future::try_join;
use kit::caller::Caller;
use kit::{Code, Error, ids};
use kit_pg::{Conn, IdempotencyKey, Once, Scope};

use super::audit::{self, Event};
use super::payments::WithHistory;
use super::recording;
use super::settlement;
use super::state_machine::facts::Fact;
use crate::App;
use crate::store::payments;

/// The name of the route in idempotency records.
const ROUTE: &str = "payments.refund";

/// Refunds what is left of a payment, for a SUPER_ADMIN; returns it, and whether this is the answer to an earlier request.
///
/// # Errors
/// `NotFound`; `payment_not_refundable` when nothing was captured, all of it is on its way back, or Razorpay refuses.
pub(crate) async fn refund(app: &App, caller: &Caller, id: &str) -> Result<(WithHistory, bool), Error> {
    caller.super_admin()?;
    let id = ids::parse(id)?;
    let now = app.clock.now();
    let wanted: Once<String> = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            let mut key = IdempotencyKey::claim(conn, caller, ROUTE).await?;
            if let Some(earlier) = key.replay()? {
                return Ok(earlier);
            }
            let row = payments::find_for_update(conn, id).await?;
            let state = recording::state_of(conn, &row).await?;
            let (payment, amount) = state.next_refund().ok_or_else(|| Error::new(Code::PaymentNotRefundable))?;
            let name = ids::new_v7().simple().to_string();
            let wanted = Fact::RefundWanted { key: name.clone(), payment: payment.id.clone(), amount };
            recording::record(conn, app, id, &[wanted], "refund asked for").await?;
            audit::record(conn, app, caller, Event::success(Some(row.tenant_id), "payment_refund", id)).await?;
            key.keep(conn, now, name).await
        })
        .await?;
    app.crash.point("refund_wanted");
    // When Razorpay does not answer, the poll sends the same refund again.
    if let Err(error) = settlement::settle(app, id, "refund asked for").await {
        error.log();
    }
    let (wish, replayed) = (wanted.value, wanted.replayed);
    let refused = async |conn: &mut Conn| {
        let row = payments::find_any(conn, id).await?;
        Ok(recording::state_of(conn, &row).await?.is_refund_refused(&wish))
    };
    if app.pg.transaction(Scope::Worker, refused).await? {
        return Err(Error::new(Code::PaymentNotRefundable));
    }
    let refunded = app
        .pg
        .read(Scope::Platform.one_plan(), async |conn: &Conn| {
            try_join(payments::find_any(conn, id), payments::changes(conn, &[id])).await
        })
        .await?;
    Ok((refunded, replayed))
}
