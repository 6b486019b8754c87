//! What ADMINs do with song requests: approve, reject, fulfil.

use kit::Error;
use kit::caller::Caller;
use kit::error::Faults;
use kit::ids::{TenantId, UserId};
use kit::text::required;
use kit_pg::{Conn, IdempotencyKey, Once, Scope, TxError};
use serde_json::json;

use super::audit::{self, Event};
use super::linking::Linked;
use super::song_request_states::Status;
use super::song_requests::{Shown, shown_one};
use super::{premium, songs};
use crate::App;
use crate::store::link_changes;
use crate::store::song_requests::{self, Filter, SongRequest};
use crate::store::songs::Catalogue;
use crate::store::tenant_songs::{self, Link};

/// Approves or rejects a request.
///
/// # Errors
/// `illegal_transition`.
pub(crate) async fn review(app: &App, caller: &Caller, id: &str, action: &str, reason: &str) -> Result<Shown, Error> {
    let (admin, tenant) = caller.admin()?;
    let id = kit::ids::parse(id)?;
    let now = app.clock.now();
    let row = app
        .pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let mut row = song_requests::find_for_update(conn, tenant, id).await?;
            let mut faults = Faults::default();
            let next = match action {
                "approve" => Status::Approved,
                "reject" => Status::Rejected,
                _ => {
                    faults.add("action", "Say approve or reject.");
                    Status::Rejected
                }
            };
            let reason = match next {
                Status::Rejected => faults.check("rejection_reason", required(reason, 2_000)).unwrap_or_default(),
                _ => String::new(),
            };
            faults.finish()?;
            row.advance(next)?;
            row.rejection_reason = reason;
            row.reviewed_by = Some(admin.0);
            row.reviewed_at = Some(now);
            row.updated_at = now;
            song_requests::update(conn, tenant, &row).await?;
            let action = if next == Status::Approved { "song_request_approve" } else { "song_request_reject" };
            audit::record(conn, app, caller, Event::success(Some(tenant.0), action, row.id)).await?;
            Ok(row)
        })
        .await?;
    shown_one(app, caller, tenant, row).await
}

/// What fulfils a request.
pub(crate) enum By {
    /// A GLOBAL song or one of the tenant's own, by id.
    Song(String),
    /// A new TENANT song.
    New(songs::Input),
}

/// Links and approves the song and closes the request, in one transaction; a mail is sent to the requester.
pub(crate) async fn fulfill(app: &App, caller: &Caller, id: &str, by: &By) -> Result<Once<Shown>, Error> {
    let (admin, tenant) = caller.admin()?;
    let id = kit::ids::parse(id)?;
    let mut granted = Ok(true);
    if matches!(by, By::New(_)) {
        // For a request that the caller may not see, the answer is 404 with and without premium.
        app.pg
            .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
                song_requests::find(conn, tenant, &Filter::default(), id).await
            })
            .await?;
        granted = premium::granted(app, tenant).await;
    }
    let done = app
        .pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let mut key = IdempotencyKey::claim(conn, caller, "song_requests.fulfill").await?;
            if let Some(earlier) = key.replay()? {
                return Ok(earlier);
            }
            premium::require(&granted)?;
            let row = song_requests::find_for_update(conn, tenant, id).await?;
            let row = close(conn, app, caller, (tenant, admin), row, by).await?;
            audit::record(conn, app, caller, Event::success(Some(tenant.0), "song_request_fulfill", row.id)).await?;
            key.keep(conn, app.clock.now(), row).await
        })
        .await?;
    app.wake.wake();
    let replayed = done.replayed;
    Ok(Once { value: shown_one(app, caller, tenant, done.value).await?, replayed })
}

async fn close(
    conn: &mut Conn,
    app: &App,
    caller: &Caller,
    (tenant, admin): (TenantId, UserId),
    mut row: SongRequest,
    by: &By,
) -> Result<SongRequest, TxError> {
    let now = app.clock.now();
    let song = match by {
        By::Song(id) => {
            let catalogue = Catalogue::TenantAndGlobal(tenant);
            let song = crate::store::songs::find(conn, catalogue, kit::ids::parse(id)?).await?;
            let links = [Link::new(tenant, &song, true)];
            let linked = tenant_songs::link(conn, tenant, &links, now).await?;
            let mut list = Linked::default();
            list.add(&links, &linked);
            list.finish(conn, tenant).await?;
            if linked.is_empty() {
                let link = tenant_songs::of_song(conn, tenant, song.id).await?;
                link_changes::set_active(conn, tenant, &[link], true, now).await?;
            }
            song
        }
        By::New(input) => songs::insert(conn, app, Some(tenant), admin, input).await?.0,
    };
    row.advance(Status::Fulfilled)?;
    row.fulfilled_song = Some(song.id);
    row.fulfilled_at = Some(now);
    row.updated_at = now;
    song_requests::update(conn, tenant, &row).await?;
    let mail = outbox::NewMessage {
        topic: "mail.requested",
        tenant_id: Some(tenant.0),
        aggregate_id: row.id,
        version: row.version,
        payload: json!({ "template": "request_fulfilled", "user_id": row.user_id, "title": song.title, "artist": song.artist }),
        request_id: caller.request_id.clone(),
    };
    outbox::emit(conn, mail).await?;
    Ok(row)
}
