//! The artwork of songs. Every upload has a name of its own, so that what a name shows never changes and one that is not
//! used any more can be deleted.

use std::sync::Arc;
use std::time::Duration;

use kit::caller::Caller;
use kit::ids::TenantId;
use kit::{Error, ids};
use kit_pg::{Conn, Scope, TxError};
use serde_json::json;
use uuid::Uuid;

use super::audit::{self, Event};
use super::images;
use super::read_only::check_version;
use super::song_copies::follow;
use super::songs::{live_genre, lock, writer};
use crate::App;
use crate::store::songs::{self, Song};

/// The topic of the message after which an image is deleted whose upload did not end with a song that shows it. Not the one
/// below, because earlier releases delete the image of that one without a look at the song.
pub(crate) const UPLOADED: &str = "artwork.uploaded";
/// The topic of the message after which an image is deleted that no song shows any more.
pub(crate) const TOPIC: &str = "artwork.dropped";
/// An image is deleted so long after it was dropped: until then the lists of all tenants follow, and clients have pages with
/// its name.
const LISTS_FOLLOW: Duration = Duration::from_secs(60);
/// An image that no song shows so long after its upload began is deleted.
const UPLOAD: Duration = Duration::from_secs(600);

/// Gives a song an image.
///
/// # Errors
/// `permission_denied`, `precondition_failed`; `Invalid` for what is no image or too large.
pub(crate) async fn set(
    app: &App,
    caller: &Caller,
    id: &str,
    file: Vec<u8>,
    if_version: Option<i64>,
) -> Result<(Song, String), Error> {
    let id = ids::parse(id)?;
    let (_, owner) = writer(caller)?;
    // What the caller may not change is not looked at.
    let scope = Scope::tenant_or_platform(owner);
    app.pg.transaction(scope, async |conn: &mut Conn| lock(conn, caller, id).await.map(|_song| ())).await?;
    let image = {
        // Decoding takes memory, so one image at a time, and one of a tenant waits for it. It goes on when the caller has
        // given up, so it has the turn and not the request.
        let turn = app.artwork_of.of(&owner).await?;
        let decoding = Arc::clone(&app.decoding).acquire_owned().await.map_err(Error::internal)?;
        let work = move || {
            let _held = (turn, decoding);
            images::normalised(&file)
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)??
    };
    let whose = format!("{}|{id}|{}", owner.map(|tenant| tenant.to_string()).unwrap_or_default(), ids::random());
    let name = app.media.name(&whose, &image.content, image.extension);
    // Written down before there is an image, so that none is left when the change fails or this process ends.
    app.pg
        .transaction(Scope::tenant_or_platform(owner), async |conn: &mut Conn| {
            delete_later(conn, caller, (owner, id), &name, (UPLOADED, UPLOAD)).await
        })
        .await?;
    app.media.put(&name, image.content).await?;
    replace(app, caller, id, Some(name), if_version).await
}

/// Takes the image of a song away; one without an image stays as it is.
///
/// # Errors
/// `permission_denied`, `precondition_failed`.
pub(crate) async fn remove(app: &App, caller: &Caller, id: &str, if_version: Option<i64>) -> Result<(), Error> {
    replace(app, caller, ids::parse(id)?, None, if_version).await.map(|_song| ())
}

async fn replace(
    app: &App,
    caller: &Caller,
    id: Uuid,
    name: Option<String>,
    if_version: Option<i64>,
) -> Result<(Song, String), Error> {
    let (_, owner) = writer(caller)?;
    let changed = app
        .pg
        .transaction(Scope::tenant_or_platform(owner), async |conn: &mut Conn| {
            let (old, owner) = lock(conn, caller, id).await?;
            check_version(old.version, if_version)?;
            let genre = live_genre(conn, &old.genre_id.to_string()).await?.map_or(String::new(), |genre| genre.name);
            if old.artwork == name {
                return Ok((old, genre));
            }
            dropped(conn, caller, &old).await?;
            let new = Song { artwork: name.clone(), version: old.version + 1, updated_at: app.clock.now(), ..old };
            songs::update(conn, owner, &new).await?;
            follow(conn, caller, owner, &new).await?;
            let action = if name.is_some() { "song_artwork_set" } else { "song_artwork_remove" };
            audit::record(conn, app, caller, Event::success(owner.map(|tenant| tenant.0), action, id)).await?;
            Ok((new, genre))
        })
        .await?;
    app.wake.wake();
    Ok(changed)
}

/// Writes the message that deletes the image which a song showed so far.
pub(super) async fn dropped(conn: &mut Conn, caller: &Caller, song: &Song) -> Result<(), TxError> {
    let Some(name) = &song.artwork else { return Ok(()) };
    delete_later(conn, caller, (song.tenant_id.map(TenantId), song.id), name, (TOPIC, LISTS_FOLLOW)).await
}

async fn delete_later(
    conn: &mut Conn,
    caller: &Caller,
    (owner, song): (Option<TenantId>, Uuid),
    name: &str,
    (topic, delay): (&'static str, Duration),
) -> Result<(), TxError> {
    let message = outbox::NewMessage {
        topic,
        tenant_id: owner.map(|tenant| tenant.0),
        aggregate_id: song,
        version: 0,
        payload: json!({ "name": name }),
        request_id: caller.request_id.clone(),
    };
    outbox::emit_later(conn, message, delay).await
}

/// Deletes an image unless its song shows it; may be repeated.
///
/// # Errors
/// When the database or the store cannot be reached.
pub(crate) async fn delete_unused(app: &App, song: Uuid, name: &str) -> Result<(), Error> {
    let shows = async |conn: &mut Conn| songs::shows(conn, song, name).await;
    if app.pg.transaction(Scope::Worker, shows).await? { Ok(()) } else { app.media.delete(name).await }
}
