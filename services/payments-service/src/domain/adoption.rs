//! Which link at Razorpay belongs to a payment, and how the payment takes it over: right after its creation, or later, when the
//! answer to the creation was lost.

use kit_pg::{Conn, TxError};

use super::states::{self, State};
use crate::App;
use crate::razorpay::Link;
use crate::store::payments::{self, Payment};

/// True when a link is the one the intent asked for.
pub(crate) fn fits(intent: &Payment, link: &Link) -> bool {
    link.reference_id == intent.reference_id && link.amount == intent.amount_minor && link.currency == intent.currency
}

/// Writes a found or new link into its payment.
pub(crate) async fn adopt(
    conn: &mut Conn,
    app: &App,
    intent: &Payment,
    link: &Link,
    cause: &str,
) -> Result<Payment, TxError> {
    let mut row = payments::find_for_update(conn, intent.id).await?;
    // Whoever found the link first has stored it; a row that was given up meanwhile has a link after all.
    if row.razorpay_payment_link_id.is_none() {
        row.razorpay_payment_link_id = Some(link.id.clone());
        row.payment_link_url = Some(link.short_url.clone());
        row.razorpay_order_id.clone_from(&link.order_id);
        row.expires_at = link.expires_at;
        if !states::advance(conn, &mut row, State::Pending, cause, app.clock.now()).await? {
            payments::update(conn, &row).await?;
        }
    }
    Ok(row)
}
