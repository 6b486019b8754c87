use chrono::Duration;
use kit::caller::Caller;
use kit::ids::TenantId;
use kit::{Code, Error};
use kit_pg::{Conn, IdempotencyKey, Once, Scope, TxError};
use serde::{Deserialize, Serialize};

use super::asking::link_fact;
use super::audit::{self, Event};
use super::recording;
use super::state_machine::facts::{Closed, Fact};
use super::status::{self, Status};
use crate::App;
use crate::razorpay::{GatewayError, Link, LinkStatus, NewLink};
use crate::store::payments::{self, Payment};
use crate::store::{subscriptions, tenants};

/// The life of a link: a minute more than what Razorpay wants at least, and less than what it allows.
const SHORTEST: Duration = Duration::minutes(16);
const LONGEST: Duration = Duration::days(180);
/// The name of the route in idempotency records.
const ROUTE: &str = "payments.create_link";

/// A link, and whether this request made it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Offered {
    pub payment: Payment,
    pub created: bool,
}

/// The tenant's payment link for premium: the open one, or a new one. Concurrent requests get the same link, because a
/// tenant has at most one open link. A repeated request gets its first answer.
///
/// # Errors
/// `already_premium`; `payment_gateway_unavailable` when Razorpay cannot be used now.
pub(crate) async fn offer(app: &App, caller: &Caller) -> Result<Once<Offered>, Error> {
    let (_, tenant) = caller.admin()?;
    let earlier = app
        .pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            IdempotencyKey::claim(conn, caller, ROUTE).await?.replay::<Offered>()
        })
        .await?;
    if let Some(earlier) = earlier {
        return Ok(earlier);
    }
    // Requests of one tenant at the same moment wait for the first one here, without a connection each.
    let _turn = app.turns.of(&tenant).await?;
    let open = match open_or_new(app, caller, tenant).await? {
        Open::Made(offered) => return Ok(offered),
        Open::Found(open) => Offered { payment: open, created: false },
    };
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| remember(conn, app, caller, open.clone()).await)
        .await
}

/// Records the answer under the request's idempotency key, in the transaction of its effect; returns the recorded
/// answer when there is one already.
async fn remember(conn: &mut Conn, app: &App, caller: &Caller, offered: Offered) -> Result<Once<Offered>, TxError> {
    let mut key = IdempotencyKey::claim(conn, caller, ROUTE).await?;
    match key.replay()? {
        Some(earlier) => Ok(earlier),
        None => {
            if offered.created {
                let event = Event::success(Some(offered.payment.tenant_id), "payment_link_create", offered.payment.id);
                audit::record(conn, app, caller, event).await?;
            }
            key.keep(conn, app.clock.now(), offered).await
        }
    }
}

/// The tenant's open payment: one that exists with its link, or one made by this request, whose answer is recorded.
enum Open {
    Found(Payment),
    Made(Once<Offered>),
}

/// Returns the open payment or makes a new one. The intent is committed before Razorpay is called, so that a link can
/// be found by its reference when the answer to its creation was lost.
async fn open_or_new(app: &App, caller: &Caller, tenant: TenantId) -> Result<Open, Error> {
    if let Some(expired) = expired(app, tenant).await? {
        // It may have been paid in its last minute, so Razorpay is asked.
        super::settlement::settle(app, expired, "link expired here").await?;
    }
    // A link of an earlier request may turn out to be of no use; then there is a new intent.
    for _ in 0..2 {
        let intent = intend(app, caller, tenant).await?;
        if intent.status()? == Status::Pending {
            return Ok(Open::Found(intent));
        }
        app.crash.point("intent_committed");
        match find_or_create(app, &intent).await {
            Ok(link) if is_usable(&intent, &link) => {
                app.crash.point("link_created");
                if let Some(made) = adopt(app, caller, tenant, &intent, &link).await? {
                    app.crash.point("adopted");
                    return Ok(Open::Made(made));
                }
            }
            Ok(link) => supersede(app, &intent, &link).await?,
            Err(error) => {
                app.metrics.event("payment_gateway_error");
                if error.certain() {
                    give_up(app, &intent, &error).await?;
                }
                return Err(unavailable().retry_after(error.retry_after()).caused_by(error));
            }
        }
    }
    Err(unavailable())
}

fn unavailable() -> Error {
    Error::new(Code::PaymentGatewayUnavailable).retry_after(std::time::Duration::from_secs(5))
}

/// Stores the link of an intent and the answer with it; nothing when another request has given the tenant a link meanwhile.
async fn adopt(
    app: &App,
    caller: &Caller,
    tenant: TenantId,
    intent: &Payment,
    link: &Link,
) -> Result<Option<Once<Offered>>, Error> {
    let facts = [Fact::Link(link_fact(link))];
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            // 201 belongs to the request after which the payment has its link.
            let created = payments::find_for_update(conn, intent.id).await?.razorpay_payment_link_id.is_none();
            let payment = recording::record(conn, app, intent.id, &facts, "link created").await?.row;
            if payment.status()? == Status::Failed {
                return Ok(None);
            }
            remember(conn, app, caller, Offered { payment, created }).await.map(Some)
        })
        .await
}

/// True when a link is what was asked for and can be paid, or was.
fn is_usable(intent: &Payment, link: &Link) -> bool {
    let fits = link.reference_id == intent.reference_id
        && link.amount == intent.amount_minor
        && link.currency == intent.currency;
    fits && !matches!(link.status, LinkStatus::Cancelled | LinkStatus::Expired)
}

/// Closes an intent whose reference belongs to a link that is of no use.
async fn supersede(app: &App, intent: &Payment, link: &Link) -> Result<(), Error> {
    let facts = [Fact::Closed { why: Closed::Superseded }, Fact::Link(link_fact(link))];
    let recorded = app
        .pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            recording::record(conn, app, intent.id, &facts, "its link is of no use").await
        })
        .await?;
    recorded.raise_alarms(app);
    Ok(())
}

/// The link of an intent. There may be one already, when the intent was made by an earlier request.
async fn find_or_create(app: &App, intent: &Payment) -> Result<Link, GatewayError> {
    match app.razorpay.link_by_reference(&intent.reference_id).await {
        Ok(Some(link)) => Ok(link),
        Ok(None) => create(app, intent).await,
        // Without an answer it is unknown whether an earlier request has made a link.
        Err(GatewayError::Refused { reason, .. }) => Err(GatewayError::Unknown(reason)),
        Err(error) => Err(error),
    }
}

/// The tenant's open payment, when its link has expired.
async fn expired(app: &App, tenant: TenantId) -> Result<Option<uuid::Uuid>, Error> {
    let now = app.clock.now();
    let open = app
        .pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| payments::find_open(conn, tenant).await)
        .await?;
    Ok(open.filter(|row| row.expires_at.is_some_and(|end| end <= now)).map(|row| row.id))
}

async fn create(app: &App, intent: &Payment) -> Result<Link, GatewayError> {
    let tenant = TenantId(intent.tenant_id);
    let organisation = app
        .pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| tenants::name(conn, tenant).await)
        .await
        .map_err(|error| GatewayError::NotReached(error.to_string()))?;
    let life = Duration::from_std(app.price.link_life).unwrap_or(SHORTEST);
    let new = NewLink {
        amount_minor: intent.amount_minor,
        currency: &intent.currency,
        reference_id: &intent.reference_id,
        description: &described(&app.price.description, &organisation),
        // With Razorpay's clock: it wants fifteen minutes at least, and half a year at most.
        expire_by: (app.razorpay.now() + life.clamp(SHORTEST, LONGEST)).timestamp(),
        callback_url: &app.callback_url,
    };
    match app.razorpay.create_link(&new).await {
        // A concurrent request has made the link.
        Err(GatewayError::Refused { status: 400, reason }) if reason.contains("reference") => {
            app.razorpay.link_by_reference(&intent.reference_id).await?.ok_or(GatewayError::Unknown(reason))
        }
        made => made,
    }
}

/// What the hosted page shows: what is paid, and for whom.
fn described(what: &str, organisation: &str) -> String {
    let text = if organisation.is_empty() { what.to_owned() } else { format!("{what}, for {organisation}") };
    // Razorpay takes 2,048 characters; a payer reads fewer.
    text.chars().take(200).collect()
}

/// The tenant's open payment, or a new intent with the current price.
async fn intend(app: &App, caller: &Caller, tenant: TenantId) -> Result<Payment, Error> {
    let (user, now) = (caller.admin()?.0, app.clock.now());
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            if subscriptions::find(conn, tenant).await?.is_some_and(|subscription| subscription.is_premium) {
                return Err(Error::new(Code::AlreadyPremium).into());
            }
            if let Some(open) = payments::find_open(conn, tenant).await? {
                if open.expires_at.is_none_or(|end| end > now) {
                    return Ok(open);
                }
                let superseded = [Fact::Closed { why: Closed::Superseded }];
                recording::record(conn, app, open.id, &superseded, "link expired").await?;
            }
            let attempts = payments::count_attempts(conn, tenant).await?;
            let id = kit::ids::new_v7();
            let row = Payment {
                id,
                tenant_id: tenant.0,
                // Razorpay allows at most 40 characters. `|` is the separator in its callback signature, so it must not
                // occur here.
                reference_id: format!("sl-{}", id.simple()),
                status: Status::Created.name().to_owned(),
                amount_minor: app.price.amount_minor,
                currency: app.price.currency.clone(),
                attempt_number: i32::try_from(attempts + 1).unwrap_or(i32::MAX),
                razorpay_payment_link_id: None,
                razorpay_order_id: None,
                razorpay_payment_id: None,
                payment_link_url: None,
                error_message: String::new(),
                expires_at: None,
                paid_at: None,
                verified_at: None,
                activated_at: None,
                checked_at: None,
                version: 1,
                created_at: now,
                updated_at: now,
                check_after: Some(now + Duration::seconds(20)),
                refund_due_minor: 0,
                refunded_minor: 0,
                refunded_at: None,
                requested_by: Some(user.0),
            };
            if payments::insert_if_none_open(conn, &row).await? {
                status::record(conn, &row, "link asked for", now).await?;
                return Ok(row);
            }
            // A concurrent request has made the tenant's only open payment.
            payments::find_open(conn, tenant)
                .await?
                .ok_or_else(|| Error::unavailable(anyhow::anyhow!("lost a race")).into())
        })
        .await
}

/// Closes an intent that certainly has no link.
async fn give_up(app: &App, intent: &Payment, error: &GatewayError) -> Result<(), Error> {
    let reason = error.to_string();
    let refused = [Fact::Closed { why: Closed::Refused }];
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            let mut row = payments::find_for_update(conn, intent.id).await?;
            if row.status()? == Status::Created {
                row.error_message.clone_from(&reason);
                payments::update(conn, &row).await?;
                recording::record(conn, app, row.id, &refused, &reason).await?;
            }
            Ok(())
        })
        .await
}
