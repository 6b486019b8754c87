//! The log of facts about payments, and the ids by which Razorpay names them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use kit_pg::{Conn, TxError};
use serde_json::Value;
use uuid::Uuid;

use super::payments::Payment;
use crate::schema::{gateway_payments, payment_facts};

/// A fact as it was learnt.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = payment_facts)]
pub(crate) struct LoggedFact {
    pub payment_id: Uuid,
    pub seq: i32,
    pub tenant_id: Uuid,
    pub fact: Value,
    pub cause: String,
    pub created_at: DateTime<Utc>,
}

/// The facts about a payment in the order in which they were learnt.
pub(crate) async fn of_payment(mut conn: &Conn, payment: Uuid) -> Result<Vec<LoggedFact>, TxError> {
    let facts = payment_facts::table.filter(payment_facts::payment_id.eq(payment)).order(payment_facts::seq);
    Ok(facts.select(LoggedFact::as_select()).load(&mut conn).await?)
}

/// Appends a fact to the log of a payment whose row is locked.
pub(crate) async fn append(conn: &mut Conn, fact: &LoggedFact) -> Result<(), TxError> {
    diesel::insert_into(payment_facts::table).values(fact).execute(conn).await?;
    Ok(())
}

/// Remembers that a payment at Razorpay belongs to a payment.
pub(crate) async fn name(conn: &mut Conn, gateway_id: &str, row: &Payment) -> Result<(), TxError> {
    let values = (
        gateway_payments::gateway_id.eq(gateway_id),
        gateway_payments::payment_id.eq(row.id),
        gateway_payments::tenant_id.eq(row.tenant_id),
    );
    diesel::insert_into(gateway_payments::table).values(values).on_conflict_do_nothing().execute(conn).await?;
    Ok(())
}

/// The payment to which a payment at Razorpay belongs; needs the worker's scope.
pub(crate) async fn named(mut conn: &Conn, gateway_id: &str) -> Result<Option<Uuid>, TxError> {
    let named = gateway_payments::table.find(gateway_id).select(gateway_payments::payment_id);
    Ok(named.first(&mut conn).await.optional()?)
}
