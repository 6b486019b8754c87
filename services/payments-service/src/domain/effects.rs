//! What facts about a payment cause, as rows of the transaction in which the facts are recorded.

use chrono::{DateTime, Utc};
use kit::ids::TenantId;
use kit::money::decimal;
use kit_pg::{Conn, TxError};
use serde_json::json;

use super::state_machine::facts::{Fact, Withheld};
use super::state_machine::postings::{Account, Lines};
use crate::store::ledger::{self, Line};
use crate::store::payments::Payment;
use crate::store::{subscriptions, tenants};

/// Writes an entry of the ledger.
pub(super) async fn post(
    conn: &mut Conn,
    row: &Payment,
    entry: &str,
    lines: &Lines,
    now: DateTime<Utc>,
) -> Result<(), TxError> {
    let line = |(account, amount_minor): &(Account, i64)| Line {
        entry: entry.to_owned(),
        account: account.name().to_owned(),
        payment_id: row.id,
        tenant_id: row.tenant_id,
        amount_minor: *amount_minor,
        currency: row.currency.clone(),
        created_at: now,
    };
    ledger::post(conn, &lines.iter().map(line).collect::<Vec<_>>()).await
}

/// Gives the tenant premium, unless another payment has or the tenant is gone.
pub(super) async fn grant(conn: &mut Conn, row: &Payment, now: DateTime<Utc>) -> Result<Fact, TxError> {
    let tenant = TenantId(row.tenant_id);
    if tenants::is_deleted(conn, tenant).await? {
        return Ok(Fact::Withheld { why: Withheld::TenantDeleted });
    }
    let Some(subscription) = subscriptions::grant(conn, tenant, row.id, now).await? else {
        let given = subscriptions::find(conn, tenant).await?.and_then(|subscription| subscription.payment_id);
        return Ok(if given == Some(row.id) {
            Fact::Granted
        } else {
            Fact::Withheld { why: Withheld::AlreadyPremium }
        });
    };
    announce(conn, row, subscription.version, true).await?;
    Ok(Fact::Granted)
}

/// Ends the premium that the payment gave.
pub(super) async fn end(conn: &mut Conn, row: &Payment, now: DateTime<Utc>) -> Result<(), TxError> {
    match subscriptions::end(conn, TenantId(row.tenant_id), row.id, now).await? {
        Some(version) => announce(conn, row, version, false).await,
        None => Ok(()),
    }
}

/// Writes the event for auth-service and songlist-service that a tenant is premium, or is not any more.
async fn announce(conn: &mut Conn, row: &Payment, version: i64, is_premium: bool) -> Result<(), TxError> {
    let message = outbox::NewMessage {
        topic: "premium.changed",
        tenant_id: Some(row.tenant_id),
        aggregate_id: row.tenant_id,
        version,
        payload: json!({ "is_premium": is_premium }),
        request_id: row.id.to_string(),
    };
    outbox::emit(conn, message).await
}

/// Writes the receipt of a payment, and the mail with it for whoever asked for the link.
pub(super) async fn issue_receipt(conn: &mut Conn, row: &Payment, now: DateTime<Utc>) -> Result<(), TxError> {
    let issued = ledger::issue_receipt(conn, row, now).await?;
    let Some(payer) = row.requested_by.filter(|_| issued) else { return Ok(()) };
    let message = outbox::NewMessage {
        topic: "mail.requested",
        tenant_id: Some(row.tenant_id),
        aggregate_id: row.id,
        version: 0,
        payload: json!({
            "template": "payment_receipt",
            "user_id": payer,
            "amount": format!("{} {}", row.currency, decimal(row.amount_minor)),
            "reference": row.reference_id,
        }),
        request_id: row.id.to_string(),
    };
    outbox::emit(conn, message).await
}
