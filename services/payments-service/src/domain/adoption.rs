//! Which link at Razorpay belongs to a payment, and how it is stored in the payment: right after it was created, or
//! later when the answer to the creation was lost.

use kit_pg::{Conn, TxError};

use super::states::{self, State};
use crate::App;
use crate::razorpay::Link;
use crate::store::payments::{self, Payment};

/// True when a link has the reference, amount and currency of the intent.
pub(crate) fn fits(intent: &Payment, link: &Link) -> bool {
    link.reference_id == intent.reference_id && link.amount == intent.amount_minor && link.currency == intent.currency
}

/// Stores a link in its payment.
pub(crate) async fn adopt(
    conn: &mut Conn,
    app: &App,
    intent: &Payment,
    link: &Link,
    cause: &str,
) -> Result<Payment, TxError> {
    let mut row = payments::find_for_update(conn, intent.id).await?;
    // Another request may have stored the link already. A payment that was given up meanwhile gets its link all the
    // same.
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
