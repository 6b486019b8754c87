use kit::caller::{Caller, Role};
use kit::error::Faults;
use kit::ids::{TenantId, UserId};
use kit::page::{Page, Paged};
use kit::text::{clean, clean_lines, required};
use kit::{Code, Error};
use kit_pg::{Conn, IdempotencyKey, Once, Scope, TxError, Window};
use serde_json::json;
use uuid::Uuid;

use super::audit::{self, Event};
use super::normalise::compared;
use super::{filters, premium, songs};
use crate::App;
use crate::peers::Person;
use crate::store::filters::Key;
use crate::store::song_requests::{self, Filter, SongRequest};
use crate::store::songs::Catalogue;
use crate::store::tenant_songs::{self, Link};
use crate::store::user_content;

/// The states of a request. REJECTED and FULFILLED are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Approved,
    Rejected,
    Fulfilled,
}

impl Status {
    const ALL: [Self; 4] = [Self::Pending, Self::Approved, Self::Rejected, Self::Fulfilled];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
            Self::Fulfilled => "FULFILLED",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::Approved | Self::Rejected | Self::Fulfilled)
                | (Self::Approved, Self::Fulfilled | Self::Rejected)
        )
    }
}

impl SongRequest {
    /// Moves to the next state.
    ///
    /// # Errors
    /// `illegal_transition`.
    fn advance(&mut self, next: Status) -> Result<(), Error> {
        let now =
            Status::of_name(&self.status).ok_or_else(|| Error::internal(anyhow::anyhow!("state {}", self.status)))?;
        if !now.may_become(next) {
            let text = format!("A request that is {} cannot become {}.", now.name(), next.name());
            return Err(Error::new(Code::IllegalTransition).message(text));
        }
        next.name().clone_into(&mut self.status);
        self.version += 1;
        Ok(())
    }
}

/// The most open requests of one user.
const MAX_OPEN: i64 = 200;

/// A song request as it was received.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    pub song_title: String,
    pub artist_name: String,
    pub album_name: String,
    pub additional_notes: String,
    pub user: Option<String>,
}

/// A song request with the requester's name and address; the address is shown to ADMINs only.
pub(crate) struct Shown {
    pub request: SongRequest,
    pub requester: Option<Person>,
    pub to_admin: bool,
}

fn limited_to(caller: &Caller) -> Result<(UserId, TenantId, Option<UserId>), Error> {
    let (user, tenant, role) = caller.tenant_user()?;
    Ok((user, tenant, (role == Role::Listener).then_some(user)))
}

/// Adds the requesters' names. When auth-service cannot be asked they are missing, and the list is returned all the
/// same.
async fn shown(app: &App, caller: &Caller, tenant: TenantId, rows: Vec<SongRequest>) -> Vec<Shown> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.user_id).collect();
    let people = app.peers.people(tenant, &ids).await.unwrap_or_default();
    let to_admin = caller.admin().is_ok();
    let person = |id: Uuid| people.iter().find(|(known, _)| *known == id).map(|(_, person)| person.clone());
    rows.into_iter().map(|request| Shown { requester: person(request.user_id), request, to_admin }).collect()
}

async fn shown_one(app: &App, caller: &Caller, tenant: TenantId, row: SongRequest) -> Result<Shown, Error> {
    shown(app, caller, tenant, vec![row]).await.pop().ok_or_else(Error::not_found)
}

pub(crate) async fn create(app: &App, caller: &Caller, input: &Input) -> Result<Once<Shown>, Error> {
    let (user, tenant, limit) = limited_to(caller)?;
    let owner = match &input.user {
        None => user,
        Some(_) if limit.is_some() => return Err(Error::read_only("user_id")),
        Some(text) => {
            let owner = UserId::parse(text)?;
            if owner != user && !app.peers.user_exists(tenant, owner).await? {
                return Err(Error::not_found());
            }
            owner
        }
    };
    let row = check(app, tenant, owner, input)?;
    let made = app
        .pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let mut key = IdempotencyKey::claim(conn, caller, "song_requests.create").await?;
            if let Some(earlier) = key.replay()? {
                return Ok(earlier);
            }
            user_content::require_live(conn, tenant, owner).await?;
            if let Some(open) = song_requests::find_open(conn, tenant, &row.title_norm, &row.artist_norm).await? {
                let exists = Error::new(Code::RequestExists);
                let readable = limit.is_none_or(|own| own.0 == open.user_id);
                return Err(if readable { exists.detail("id", open.id.to_string()) } else { exists }.into());
            }
            if song_requests::open_of(conn, tenant, owner).await? >= MAX_OPEN {
                let text = format!("{MAX_OPEN} open requests are the most. Wait until some are reviewed.");
                return Err(Error::new(Code::QuotaExceeded).message(text).into());
            }
            song_requests::insert(conn, &row).await?;
            key.keep(conn, row.created_at, row.clone()).await
        })
        .await?;
    let replayed = made.replayed;
    Ok(Once { value: shown_one(app, caller, tenant, made.value).await?, replayed })
}

fn check(app: &App, tenant: TenantId, owner: UserId, input: &Input) -> Result<SongRequest, Error> {
    let mut faults = Faults::default();
    let song_title = faults.check("song_title", required(&input.song_title, 255)).unwrap_or_default();
    let artist_name = faults.check("artist_name", required(&input.artist_name, 255)).unwrap_or_default();
    let album_name = faults.check("album_name", clean(&input.album_name, 255)).unwrap_or_default();
    let additional_notes =
        faults.check("additional_notes", clean_lines(&input.additional_notes, 2_000)).unwrap_or_default();
    faults.finish()?;
    let now = app.clock.now();
    Ok(SongRequest {
        id: kit::ids::new_v7(),
        tenant_id: tenant.0,
        user_id: owner.0,
        title_norm: compared(&song_title),
        artist_norm: compared(&artist_name),
        song_title,
        artist_name,
        album_name,
        additional_notes,
        status: Status::Pending.name().to_owned(),
        reviewed_by: None,
        reviewed_at: None,
        rejection_reason: String::new(),
        fulfilled_song: None,
        fulfilled_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    })
}

pub(crate) async fn get(app: &App, caller: &Caller, id: &str) -> Result<Shown, Error> {
    let (_, tenant, limit) = limited_to(caller)?;
    let (id, filter) = (kit::ids::parse(id)?, Filter { owner: limit, ..Filter::default() });
    let scope = Scope::Tenant(tenant).one_plan();
    let row = app.pg.read(scope, async |conn: &Conn| song_requests::find(conn, tenant, &filter, id).await).await?;
    shown_one(app, caller, tenant, row).await
}

/// The filters of the list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub statuses: Vec<String>,
    pub user: Option<String>,
    pub q: Option<String>,
}

pub(crate) async fn list(app: &App, caller: &Caller, wanted: Wanted, page: &Page) -> Result<Paged<Shown>, Error> {
    let (_, tenant, limit) = limited_to(caller)?;
    for (name, given) in [("user_id", wanted.user.is_some()), ("q", wanted.q.is_some())] {
        if limit.is_some() && given {
            return Err(Error::new(Code::UnknownParameter).field(name, "For ADMINs only."));
        }
    }
    if wanted.statuses.iter().any(|name| Status::of_name(name).is_none()) {
        return Err(Error::invalid("status", "Say PENDING, APPROVED, REJECTED or FULFILLED."));
    }
    let asked = wanted.user.map(|text| UserId(Uuid::try_parse(&text).unwrap_or_default()));
    let filter = Filter { owner: limit.or(asked), statuses: wanted.statuses, q: wanted.q.map(|q| compared(&q)) };
    let after = filters::after(page)?;
    if matches!(after, Some(Key::Offset(_))) {
        return Err(Error::invalid("cursor", "This cursor is not valid."));
    }
    let window = Window { rows: i64::from(page.size) + 1, offset: page.offset() };
    let scope = Scope::Tenant(tenant);
    let scope = if filter.q.is_some() || window.offset > 0 { scope.search() } else { scope.plan_each_time() };
    let (count, rows) = app
        .pg
        .read(scope, async |conn: &Conn| {
            let rows = song_requests::list(conn, tenant, &filter, after.as_ref(), window);
            kit_pg::page(page, song_requests::count(conn, tenant, &filter), rows).await
        })
        .await?;
    let (rows, next_cursor) = filters::cut(rows, page, |row| kit::page::cursor(&Key::Time(row.created_at, row.id)));
    Ok(Paged { rows: shown(app, caller, tenant, rows).await, count, next_cursor })
}

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
            let links = [Link::new(tenant, &song, true, now)];
            if tenant_songs::link_all(conn, tenant, &links, now).await?.is_empty() {
                tenant_songs::approve_song(conn, tenant, song.id, now).await?;
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

#[cfg(test)]
mod tests {
    use super::Status::{self, Approved, Fulfilled, Pending, Rejected};

    #[test]
    fn only_the_transitions_of_the_contract_are_legal() {
        let legal = [
            (Pending, Approved),
            (Pending, Rejected),
            (Pending, Fulfilled),
            (Approved, Fulfilled),
            (Approved, Rejected),
        ];
        for from in Status::ALL {
            for to in Status::ALL {
                assert_eq!(from.may_become(to), legal.contains(&(from, to)), "{from:?} to {to:?}");
            }
        }
    }
}
