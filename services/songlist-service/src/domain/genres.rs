use std::collections::HashMap;

use futures_util::future::try_join;
use kit::caller::Caller;
use kit::error::Faults;
use kit::page::{Page, Paged};
use kit::text::{clean_lines, required};
use kit::{Code, Error};
use kit_pg::{Conn, IdempotencyKey, Once, Scope};

use super::audit::{self, Event};
use super::normalise::compared_name;
use super::{read_only, songs};
use crate::App;
use crate::store::genres::{self, Genre};
use crate::store::songs::Catalogue;

/// A genre with the number of its songs that the caller may see.
pub(crate) type Counted = (Genre, i64);

/// The scope for reading genres, and the songs that are counted, for ADMINs and SUPER_ADMINs only. SUPER_ADMINs count GLOBAL songs,
/// ADMINs also their own.
fn reader(caller: &Caller) -> Result<(Scope, Catalogue), Error> {
    let catalogue = songs::catalogue(caller)?;
    Ok((Scope::of(caller)?, catalogue))
}

pub(crate) async fn create(app: &App, caller: &Caller, name: &str, description: &str) -> Result<Once<Genre>, Error> {
    caller.super_admin()?;
    let mut faults = Faults::default();
    let name = faults.check("name", required(name, 100)).unwrap_or_default();
    let description = faults.check("description", clean_lines(description, 2_000)).unwrap_or_default();
    faults.finish()?;
    let row = Genre::new(name.clone(), compared_name(&name), description, app.clock.now());
    let made = app
        .pg
        .transaction(Scope::Platform, async |conn: &mut Conn| {
            let mut key = IdempotencyKey::claim(conn, caller, "genres.create").await?;
            if let Some(earlier) = key.replay()? {
                return Ok(earlier);
            }
            genres::insert(conn, &row).await?;
            audit::record(conn, app, caller, Event::success(None, "genre_create", row.id)).await?;
            key.keep(conn, row.created_at, row.clone()).await
        })
        .await?;
    app.genre_names.forget();
    Ok(made)
}

/// A change as it was received; a field that is missing stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub name: Option<String>,
    pub description: Option<String>,
    pub read_only: HashMap<String, String>,
}

/// Changes a genre.
///
/// # Errors
/// `read_only_field`, `genre_exists`.
pub(crate) async fn update(app: &App, caller: &Caller, id: &str, change: &Change) -> Result<Counted, Error> {
    caller.super_admin()?;
    let id = kit::ids::parse(id)?;
    let changed = app
        .pg
        .transaction(Scope::Platform, async |conn: &mut Conn| {
            let old = genres::find_for_change(conn, id).await?;
            let count = genres::song_count(conn, Catalogue::Global, id).await?;
            let mut faults = Faults::default();
            let name = change.name.as_ref().and_then(|name| faults.check("name", required(name, 100)));
            let description =
                change.description.as_ref().and_then(|text| faults.check("description", clean_lines(text, 2_000)));
            faults.finish()?;
            let shown = [
                ("id", old.id.into()),
                ("song_count", count.into()),
                ("created_at", old.created_at.into()),
                ("updated_at", old.updated_at.into()),
            ];
            read_only::check(&change.read_only, &shown)?;
            let name = name.unwrap_or_else(|| old.name.clone());
            let description = description.unwrap_or_else(|| old.description.clone());
            if (&name, &description) == (&old.name, &old.description) {
                return Ok((old, count));
            }
            let new = Genre {
                name_norm: compared_name(&name),
                name,
                description,
                version: old.version + 1,
                updated_at: app.clock.now(),
                ..old
            };
            genres::update(conn, &new).await?;
            audit::record(conn, app, caller, Event::success(None, "genre_update", id)).await?;
            Ok((new, count))
        })
        .await?;
    app.genre_names.forget();
    Ok(changed)
}

/// Deletes a genre that no live song of any tenant has. Its row stays for songs that were deleted; its name is free again.
///
/// # Errors
/// `genre_in_use` with the number of songs.
pub(crate) async fn delete(app: &App, caller: &Caller, id: &str) -> Result<(), Error> {
    caller.super_admin()?;
    let id = kit::ids::parse(id)?;
    // The songs of all tenants are counted. Whoever refers to the genre meanwhile waits for its row, and looks at it again.
    app.pg
        .transaction(Scope::Worker, async |conn: &mut Conn| {
            genres::find_for_update(conn, id).await?;
            let songs = genres::songs_of(conn, id).await?;
            if songs > 0 {
                let text = format!("{songs} songs have this genre. Give them another one first.");
                return Err(Error::new(Code::GenreInUse).message(text).detail("songs", songs.to_string()).into());
            }
            genres::delete(conn, id, app.clock.now()).await?;
            audit::record(conn, app, caller, Event::success(None, "genre_delete", id)).await
        })
        .await?;
    app.genre_names.forget();
    Ok(())
}

pub(crate) async fn get(app: &App, caller: &Caller, id: &str) -> Result<Counted, Error> {
    let (scope, catalogue) = reader(caller)?;
    let id = kit::ids::parse(id)?;
    app.pg
        .read(scope.one_plan(), async |conn: &Conn| {
            try_join(genres::find(conn, id), genres::song_count(conn, catalogue, id)).await
        })
        .await
}

pub(crate) async fn list(app: &App, caller: &Caller, names: Vec<String>, page: &Page) -> Result<Paged<Counted>, Error> {
    let (scope, catalogue) = reader(caller)?;
    let names: Vec<String> = names.iter().map(|name| compared_name(name)).collect();
    let (count, (rows, counts)) = app
        .pg
        .read(scope, async |conn: &Conn| {
            let rows = try_join(genres::list(conn, &names, page), genres::song_counts(conn, catalogue, &names, page));
            kit_pg::page(page, genres::count(conn, &names), rows).await
        })
        .await?;
    let rows = rows.into_iter().map(|genre| (counts.get(&genre.id).copied().unwrap_or(0), genre));
    let rows = rows.map(|(count, genre)| (genre, count));
    Ok(Paged { rows: rows.collect(), count, next_cursor: None })
}
