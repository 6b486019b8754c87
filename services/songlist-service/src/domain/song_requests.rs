use std::collections::HashMap;

use kit::caller::Caller;
use kit::error::Faults;
use kit::ids::{TenantId, UserId};
use kit::page::{Page, Paged};
use kit::text::{clean, clean_lines, required};
use kit::{Code, Error};
use kit_pg::{Conn, IdempotencyKey, Once, Scope, TxError, Window};
use uuid::Uuid;

use super::audit::{self, Event};
use super::normalise::compared;
use super::song_request_states::Status;
use super::{filters, read_only};
use crate::App;
use crate::peers::Person;
use crate::store::filters::Key;
use crate::store::song_requests::{self, Filter, SongRequest};
use crate::store::user_content;

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

/// Adds the requesters' names. When auth-service cannot be asked they are missing, and the list is returned all the
/// same.
async fn shown(app: &App, caller: &Caller, tenant: TenantId, rows: Vec<SongRequest>) -> Vec<Shown> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.user_id).collect();
    let people = app.peers.people(tenant, &ids).await.unwrap_or_default();
    let to_admin = caller.admin().is_ok();
    let person = |id: Uuid| people.iter().find(|(known, _)| *known == id).map(|(_, person)| person.clone());
    rows.into_iter().map(|request| Shown { requester: person(request.user_id), request, to_admin }).collect()
}

pub(super) async fn shown_one(app: &App, caller: &Caller, tenant: TenantId, row: SongRequest) -> Result<Shown, Error> {
    shown(app, caller, tenant, vec![row]).await.pop().ok_or_else(Error::not_found)
}

pub(crate) async fn create(app: &App, caller: &Caller, input: &Input) -> Result<Once<Shown>, Error> {
    let (user, tenant, limit) = caller.limited_to_own()?;
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
                return Err(exists(&open, limit).into());
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

/// Another request for the song is open; its id is told to whoever may read it.
fn exists(open: &SongRequest, limit: Option<UserId>) -> Error {
    let exists = Error::new(Code::RequestExists);
    let readable = limit.is_none_or(|own| own.0 == open.user_id);
    if readable { exists.detail("id", open.id.to_string()) } else { exists }
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
    let (_, tenant, limit) = caller.limited_to_own()?;
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
    let (_, tenant, limit) = caller.limited_to_own()?;
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
    if !matches!(after, None | Some(Key::Time(..))) {
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

/// A change as it was received; a field that is missing stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub song_title: Option<String>,
    pub artist_name: Option<String>,
    pub album_name: Option<String>,
    pub additional_notes: Option<String>,
    pub read_only: HashMap<String, String>,
}

/// Changes what is asked for, while the request is PENDING.
///
/// # Errors
/// `read_only_field`, `illegal_transition`, `request_exists`.
pub(crate) async fn update(app: &App, caller: &Caller, id: &str, change: &Change) -> Result<Shown, Error> {
    let (_, tenant, limit) = caller.limited_to_own()?;
    let id = kit::ids::parse(id)?;
    let row = app
        .pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let old = lock(conn, tenant, limit, id).await?;
            let text = |sent: &Option<String>, now: &String| sent.clone().unwrap_or_else(|| now.clone());
            let input = Input {
                song_title: text(&change.song_title, &old.song_title),
                artist_name: text(&change.artist_name, &old.artist_name),
                album_name: text(&change.album_name, &old.album_name),
                additional_notes: text(&change.additional_notes, &old.additional_notes),
                user: None,
            };
            let checked = check(app, tenant, UserId(old.user_id), &input)?;
            read_only::check(&change.read_only, &fields(&old))?;
            if old.status != Status::Pending.name() {
                let text = format!("A request that is {} cannot be changed.", old.status);
                return Err(Error::new(Code::IllegalTransition).message(text).into());
            }
            let new = SongRequest {
                id,
                status: old.status.clone(),
                version: old.version + 1,
                created_at: old.created_at,
                ..checked
            };
            let open = song_requests::find_open(conn, tenant, &new.title_norm, &new.artist_norm).await?;
            if let Some(other) = open.filter(|open| open.id != id) {
                return Err(exists(&other, limit).into());
            }
            song_requests::update(conn, tenant, &new).await?;
            Ok(new)
        })
        .await?;
    shown_one(app, caller, tenant, row).await
}

fn fields(row: &SongRequest) -> [(&'static str, read_only::Shown); 11] {
    [
        ("id", row.id.into()),
        ("status", row.status.as_str().into()),
        ("requester_id", row.user_id.into()),
        ("user_id", row.user_id.into()),
        ("reviewed_by", row.reviewed_by.into()),
        ("reviewed_at", row.reviewed_at.into()),
        ("rejection_reason", row.rejection_reason.as_str().into()),
        ("fulfilled_song", row.fulfilled_song.into()),
        ("fulfilled_at", row.fulfilled_at.into()),
        ("created_at", row.created_at.into()),
        ("updated_at", row.updated_at.into()),
    ]
}

/// Locks a request that the caller sees: a LISTENER the own ones.
async fn lock(conn: &mut Conn, tenant: TenantId, limit: Option<UserId>, id: Uuid) -> Result<SongRequest, TxError> {
    let row = song_requests::find_for_update(conn, tenant, id).await?;
    if limit.is_some_and(|own| own.0 != row.user_id) {
        return Err(Error::not_found().into());
    }
    Ok(row)
}

/// Deletes a request in any state. One that was open does not block another one for the same song any more.
pub(crate) async fn delete(app: &App, caller: &Caller, id: &str) -> Result<(), Error> {
    let (user, tenant, limit) = caller.limited_to_own()?;
    let id = kit::ids::parse(id)?;
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Tenant(tenant), async |conn: &mut Conn| {
            let row = lock(conn, tenant, limit, id).await?;
            song_requests::delete(conn, tenant, id, user, now).await?;
            if row.user_id == user.0 {
                return Ok(());
            }
            audit::record(conn, app, caller, Event::success(Some(tenant.0), "song_request_delete", id)).await
        })
        .await
}
