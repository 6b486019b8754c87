use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use kit::Error;
use kit_pg::{Conn, Scope};
use uuid::Uuid;

use super::settlement;
use super::states::State;
use crate::App;
use crate::razorpay::CallbackFields;
use crate::store::payments;

/// Callbacks may cause one request to Razorpay per link in this time.
const EVERY: Duration = Duration::from_secs(60);

/// What the status page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Active,
    Confirming,
    /// A forged callback, or one for an unknown payment.
    Unknown,
}

/// Handles a browser's redirect. It is only a hint: it causes one request to Razorpay per link and minute, and its
/// contents are not taken as facts.
pub(crate) async fn take(app: &App, fields: &CallbackFields) -> Result<Outcome, Error> {
    if !app.razorpay.signed_callback(fields) {
        app.metrics.event("callback_wrong_signature");
        return Ok(Outcome::Unknown);
    }
    let link = Some(fields.payment_link_id.as_str());
    let found = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| payments::find_by_gateway_ids(conn, link, None).await)
        .await?;
    let Some(id) = found else { return Ok(Outcome::Unknown) };
    let state = if may_look(id) {
        settlement::settle(app, id, "callback").await.unwrap_or(State::Pending)
    } else {
        app.pg
            .transaction(Scope::Worker, async |conn: &mut Conn| {
                Ok(payments::find_for_update(conn, id).await?.state()?)
            })
            .await?
    };
    Ok(if state == State::Activated { Outcome::Active } else { Outcome::Confirming })
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
