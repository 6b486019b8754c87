use futures_util::future::try_join;
use kit::Error;
use kit::caller::Caller;
use kit::error::Faults;
use kit::page::{Page, Paged};
use kit::text::{clean_lines, required};
use kit_pg::{Conn, IdempotencyKey, Once, Scope};
use uuid::Uuid;

use super::audit::{self, Event};
use super::normalise::compared_name;
use crate::App;
use crate::store::genres::{self, Genre};

/// A genre with the number of its songs that the caller may see.
pub(crate) type Counted = (Genre, i64);

/// The scope for reading genres, for ADMINs and SUPER_ADMINs only. SUPER_ADMINs count GLOBAL songs, ADMINs also their
/// own.
fn reader(caller: &Caller) -> Result<Scope, Error> {
    if caller.admin().is_err() {
        caller.super_admin()?;
    }
    Scope::of(caller)
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

pub(crate) async fn get(app: &App, caller: &Caller, id: &str) -> Result<Counted, Error> {
    let scope = reader(caller)?;
    let id = kit::ids::parse(id)?;
    app.pg
        .read(scope.one_plan(), async |conn: &Conn| {
            try_join(genres::find(conn, id), genres::song_count(conn, id)).await
        })
        .await
}

pub(crate) async fn list(app: &App, caller: &Caller, names: Vec<String>, page: &Page) -> Result<Paged<Counted>, Error> {
    let scope = reader(caller)?;
    let names: Vec<String> = names.iter().map(|name| compared_name(name)).collect();
    let (count, (rows, songs)) = app
        .pg
        .read(scope, async |conn: &Conn| {
            let rows = try_join(genres::list(conn, &names, page), genres::song_counts(conn, &names, page));
            kit_pg::page(page, genres::count(conn, &names), rows).await
        })
        .await?;
    let songs_of = |id: Uuid| songs.iter().find(|(known, _)| *known == id).map_or(0, |(_, count)| *count);
    let rows = rows.into_iter().map(|genre| (songs_of(genre.id), genre)).map(|(count, genre)| (genre, count));
    Ok(Paged { rows: rows.collect(), count, next_cursor: None })
}
