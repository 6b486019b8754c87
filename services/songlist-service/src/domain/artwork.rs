//! The artwork of songs. Every upload has a name of its own, so that what a name shows never changes and one that is not
//! used any more can be deleted.

use kit::caller::Caller;
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

/// The topic of the message after which an image is deleted that no song shows any more.
pub(crate) const TOPIC: &str = "artwork.dropped";

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
        // Decoding takes memory, so one image at a time, and one of a tenant waits for it.
        let _turn = app.artwork_of.of(&owner).await?;
        let _decoding = app.decoding.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(move || images::normalised(&file)).await.map_err(Error::internal)??
    };
    let whose = format!("{}|{id}|{}", owner.map(|tenant| tenant.to_string()).unwrap_or_default(), ids::random());
    let name = app.media.name(&whose, &image.content, image.extension);
    app.media.put(&name, image.content).await?;
    let changed = replace(app, caller, id, Some(name.clone()), if_version).await;
    if changed.is_err() {
        // The error of the change is the one to tell; an image that stays is of no use and does no harm.
        let _ = app.media.delete(&name).await;
    }
    changed
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
    let message = outbox::NewMessage {
        topic: TOPIC,
        tenant_id: song.tenant_id,
        aggregate_id: song.id,
        version: song.version,
        payload: json!({ "name": name }),
        request_id: caller.request_id.clone(),
    };
    outbox::emit(conn, message).await
}
