use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use kit::Error;
use kit::ids::TenantId;
use kit_pg::{Conn, Scope};
use uuid::Uuid;

use super::settlement;
use super::status::Status;
use crate::App;
use crate::razorpay::CallbackFields;
use crate::store::{payments, tenants};

/// Callbacks may cause one request to Razorpay per link in this time.
const EVERY: Duration = Duration::from_secs(60);

/// What a browser is told that comes back from the hosted page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Outcome {
    Active,
    Confirming,
    Refunded,
    Failed,
    /// The payment bought nothing and goes back.
    GoesBack,
    /// A forged callback, or one for an unknown payment.
    #[default]
    Unknown,
}

impl Outcome {
    /// Its name in the protocol.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Confirming => "confirming",
            Self::Refunded => "refunded",
            Self::Failed => "failed",
            Self::GoesBack => "goes_back",
            Self::Unknown => "unknown",
        }
    }
}

/// What the status page shows: for a callback that Razorpay has not signed nothing that a stranger could not know.
#[derive(Clone, Debug, Default)]
pub(crate) struct StatusPage {
    pub outcome: Outcome,
    pub organisation: String,
    pub amount_minor: i64,
    pub currency: String,
    pub reference_id: String,
}

/// Handles a browser's redirect. It is only a hint: it causes one request to Razorpay per link and minute, and its
/// contents are not taken as facts.
pub(crate) async fn take(app: &App, fields: &CallbackFields) -> Result<StatusPage, Error> {
    if !app.razorpay.signed_callback(fields) {
        app.metrics.event("callback_wrong_signature");
        return Ok(StatusPage::default());
    }
    let link = Some(fields.payment_link_id.as_str());
    let found = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| payments::find_by_gateway_ids(conn, link, None).await)
        .await?;
    let Some(id) = found else { return Ok(StatusPage::default()) };
    if may_look(id)
        && let Err(error) = settlement::settle(app, id, "callback").await
    {
        // The page comes all the same, and the poll asks again.
        error.log();
    }
    let (row, organisation) = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            let row = payments::find_any(conn, id).await?;
            let organisation = tenants::name(conn, TenantId(row.tenant_id)).await?;
            Ok((row, organisation))
        })
        .await?;
    Ok(StatusPage {
        outcome: match row.status()? {
            Status::Activated => Outcome::Active,
            Status::Refunded => Outcome::Refunded,
            Status::Failed => Outcome::Failed,
            Status::Verified if row.refund_due_minor > 0 => Outcome::GoesBack,
            Status::Created | Status::Pending | Status::Paid | Status::Verified => Outcome::Confirming,
        },
        organisation,
        amount_minor: row.amount_minor,
        currency: row.currency,
        reference_id: row.reference_id,
    })
}

/// True once per link and minute in this process, because callbacks can be replayed at any time.
fn may_look(id: Uuid) -> bool {
    static LOOKED: Mutex<Option<HashMap<Uuid, Instant>>> = Mutex::new(None);
    let mut looked = LOOKED.lock().unwrap_or_else(PoisonError::into_inner);
    let looked = looked.get_or_insert_with(HashMap::new);
    looked.retain(|_, at| at.elapsed() < EVERY);
    if looked.contains_key(&id) {
        return false;
    }
    looked.insert(id, Instant::now());
    true
}
