//! What an operator does with payments at the command line.

use chrono::{DateTime, Duration, Utc};
use kit::Error;
use kit::ids::TenantId;
use kit_pg::{Conn, Scope, TxError};
use uuid::Uuid;

use crate::App;
use crate::domain::recording;
use crate::domain::state_machine::postings;
use crate::jobs;
use crate::store::payments::{self, Payment};
pub use crate::store::webhook_events::WaitingEvent;
use crate::store::{facts, ledger, subscriptions, webhook_events};

/// So many payments are read at a time.
const BATCH: i64 = 200;
/// So many lines of the ledger are read at a time.
const EXPORTED: i64 = 1_000;
/// A run of `reconcile` ends after so many rounds; each asks about a hundred payments.
const ROUNDS: usize = 1_000;

/// What is known about a payment.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: Uuid,
    pub status: String,
    pub amount_minor: i64,
    pub refund_due_minor: i64,
    pub refunded_minor: i64,
    pub created_at: DateTime<Utc>,
    /// Each fact with its time and cause, in the order in which they were learnt.
    pub facts: Vec<(DateTime<Utc>, String, String)>,
}

/// Webhooks that wait, were put aside or have a note, the oldest first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn inbox(app: &App, limit: i64) -> Result<Vec<WaitingEvent>, Error> {
    app.pg.transaction(Scope::Worker, async |conn: &mut Conn| webhook_events::waiting(conn, limit).await).await
}

/// Applies a webhook again, whatever became of it; false when there is none with this id.
///
/// # Errors
/// When the database cannot be used.
pub async fn replay(app: &App, event_id: &str) -> Result<bool, Error> {
    app.pg.transaction(Scope::Worker, async |conn: &mut Conn| webhook_events::replay(conn, event_id).await).await
}

/// Why a tenant is premium, or is not: whether it is, and what is known about its payments, the newest first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn why(app: &App, tenant: Uuid) -> Result<(bool, Vec<Account>), Error> {
    let tenant = TenantId(tenant);
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            let premium = subscriptions::find(conn, tenant).await?.is_some_and(|subscription| subscription.is_premium);
            let mut accounts = Vec::new();
            for row in payments::of_tenant_newest(conn, tenant, BATCH).await? {
                accounts.push(account(conn, row).await?);
            }
            Ok((premium, accounts))
        })
        .await
}

async fn account(conn: &Conn, row: Payment) -> Result<Account, TxError> {
    let logged = facts::of_payment(conn, row.id).await?;
    let facts = logged.into_iter().map(|fact| (fact.created_at, fact.fact.to_string(), fact.cause)).collect();
    Ok(Account {
        id: row.id,
        status: row.status,
        amount_minor: row.amount_minor,
        refund_due_minor: row.refund_due_minor,
        refunded_minor: row.refunded_minor,
        created_at: row.created_at,
        facts,
    })
}

/// Which lines of the ledger are exported.
#[derive(Clone, Debug)]
pub struct Span {
    pub from: DateTime<Utc>,
    /// Not included.
    pub until: DateTime<Utc>,
    /// All when missing.
    pub tenant: Option<Uuid>,
}

/// A line of the ledger as it is exported: nothing in it is secret, and nothing is about the payer.
#[derive(Clone, Debug)]
pub struct ExportedLine {
    pub at: DateTime<Utc>,
    pub entry: String,
    pub account: String,
    /// Debits are positive and credits negative; the smallest unit.
    pub amount_minor: i64,
    pub currency: String,
    pub tenant_id: Uuid,
    pub tenant: String,
    pub payment_id: Uuid,
    pub reference_id: String,
    /// The payment, refund or dispute at Razorpay, as its list of settlements names it.
    pub entity_id: String,
}

/// True when no line of a span can come any more. A line gets its time before it is committed.
pub fn is_complete(app: &App, span: &Span) -> bool {
    span.until <= app.clock.now() - Duration::minutes(5)
}

/// Up to a thousand lines of the ledger behind `after`, in the order of their time.
///
/// # Errors
/// When the database cannot be asked.
pub async fn ledger_lines(app: &App, span: &Span, after: Option<&ExportedLine>) -> Result<Vec<ExportedLine>, Error> {
    let place = after.map(|line| (line.at, line.entry.clone(), line.account.clone()));
    let span = ledger::Span { from: span.from, until: span.until, tenant: span.tenant.map(TenantId) };
    let lines = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            ledger::in_span(conn, &span, place.as_ref(), EXPORTED).await
        })
        .await?;
    let exported = |(line, reference_id, tenant): ledger::NamedLine| ExportedLine {
        at: line.created_at,
        entity_id: line.entry.split(':').nth(1).unwrap_or_default().to_owned(),
        entry: line.entry,
        account: line.account,
        amount_minor: line.amount_minor,
        currency: line.currency,
        tenant_id: line.tenant_id,
        tenant: tenant.unwrap_or_default(),
        payment_id: line.payment_id,
        reference_id,
    };
    Ok(lines.into_iter().map(exported).collect())
}

/// Asks Razorpay about everything that may not be settled, at once; returns what the rounds did.
///
/// # Errors
/// When the database cannot be used, or Razorpay must not be asked now: what was settled until then is settled.
pub async fn reconcile(app: &App) -> Result<Vec<String>, Error> {
    let now = app.clock.now();
    app.pg.transaction(Scope::Worker, async |conn: &mut Conn| payments::make_due(conn, now).await).await?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let due = app.pg.transaction(Scope::Worker, async |conn: &mut Conn| payments::due(conn, now, 1).await).await?;
        if due.is_empty() {
            break;
        }
        rounds.push(jobs::run(app, "payments.poll_pending").await?);
        if app.razorpay.is_paused() {
            return Err(Error::unavailable(anyhow::anyhow!("Razorpay is not asked for a while")));
        }
    }
    Ok(rounds)
}

/// Computes every payment, its ledger and who is premium from the recorded facts again; returns the number of payments and what
/// does not agree.
///
/// # Errors
/// When the database cannot be asked, or a fact cannot be read.
pub async fn verify(app: &App) -> Result<(usize, Vec<String>), Error> {
    let (mut count, mut faults, mut after) = (0, Vec::new(), Uuid::nil());
    loop {
        let ids = app
            .pg
            .transaction(Scope::Worker, async |conn: &mut Conn| payments::behind(conn, after, BATCH).await)
            .await?;
        let Some(last) = ids.last() else { break };
        after = *last;
        count += ids.len();
        for id in ids {
            let found = app.pg.transaction(Scope::Worker, async |conn: &mut Conn| verify_one(conn, id).await).await?;
            faults.extend(found);
        }
    }
    let unpaid =
        app.pg.transaction(Scope::Worker, async |conn: &mut Conn| subscriptions::without_payment(conn).await).await?;
    faults.extend(unpaid.into_iter().map(|tenant| format!("tenant {tenant} is premium without a payment")));
    Ok((count, faults))
}

/// Where the row of a payment, its ledger and the tenant's premium differ from its facts. The row is locked meanwhile, so that
/// nobody changes one of them.
async fn verify_one(conn: &mut Conn, id: Uuid) -> Result<Vec<String>, TxError> {
    let row = payments::find_for_update(conn, id).await?;
    let state = recording::state_of(conn, &row).await?;
    let mut faults = Vec::new();
    let mut expect = |what: &str, is: String, says: String| {
        if is != says {
            faults.push(format!("payment {}: {what} is {is}, and the facts say {says}", row.id));
        }
    };
    expect("status", row.status.clone(), state.status().name().to_owned());
    expect("refund_due_minor", row.refund_due_minor.to_string(), state.due().to_string());
    expect("refunded_minor", row.refunded_minor.to_string(), state.gone_back().to_string());
    let mut implied: Vec<(String, String, i64)> = postings::of(&state)
        .into_iter()
        .flat_map(|(entry, lines)| {
            lines.into_iter().map(move |(to, amount)| (entry.clone(), to.name().to_owned(), amount))
        })
        .collect();
    implied.sort();
    let written = ledger::of_payment(conn, row.id).await?;
    expect("the ledger", format!("{written:?}"), format!("{implied:?}"));
    let subscription = subscriptions::find(conn, TenantId(row.tenant_id)).await?;
    let gives = subscription.is_some_and(|known| known.is_premium && known.payment_id == Some(row.id));
    expect("that it gives premium", gives.to_string(), state.held.to_string());
    Ok(faults)
}
