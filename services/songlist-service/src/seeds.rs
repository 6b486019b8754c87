//! The rows with which a new installation begins.

use std::collections::HashMap;
use std::path::Path;

use kit::caller::{Actor, Caller, Session};
use kit::ids::{SessionId, UserId};
use kit::{Code, Error};
use kit_pg::{Conn, Scope};
use tokio::io::{AsyncBufRead, BufReader};

use crate::App;
use crate::domain::imports::{self, Format, Options, Report};
use crate::domain::normalise::compared_name;
use crate::store::genres::{self, Genre};

/// Creates the genres that are missing; returns how many.
///
/// # Errors
/// When the database cannot be reached.
pub async fn seed_genres(app: &App, names: &[String]) -> kit::Result<usize> {
    let now = app.clock.now();
    app.pg
        .transaction(Scope::Platform, async |conn: &mut Conn| {
            let mut made = 0;
            for name in names {
                let row = Genre::new(name.clone(), compared_name(name), String::new(), now);
                made += usize::from(genres::insert_if_missing(conn, &row).await?);
            }
            Ok(made)
        })
        .await
}

/// Imports a CSV of title, artist and release_year as GLOBAL songs of the genre Rock; returns how many are new.
///
/// # Errors
/// When the file or the database cannot be read.
pub async fn seed_songs(app: &App, file: &Path) -> kit::Result<u64> {
    let unreadable = |error: std::io::Error| Error::new(Code::ValidationError).caused_by(error);
    let file = tokio::fs::File::open(file).await.map_err(unreadable)?;
    let options =
        Options { format: Format::Csv, columns: HashMap::new(), genre: Some("Rock".to_owned()), dry_run: false };
    Ok(Box::pin(import_songs(app, options, BufReader::new(file))).await?.created)
}

/// Imports a file of GLOBAL songs.
///
/// # Errors
/// When the file or the database cannot be read; single invalid rows are in the report.
pub async fn import_songs(
    app: &App,
    options: Options,
    file: impl AsyncBufRead + Send + 'static,
) -> kit::Result<Report> {
    // The import runs as a SUPER_ADMIN, on behalf of the operator who has access to the database.
    let session = Session { id: SessionId::new(), ver: 0, auth_time: app.clock.now() };
    let caller = Caller { actor: Actor::Platform { id: UserId::new(), session }, ..Caller::system("songlist") };
    Box::pin(imports::run(app, &caller, options, file)).await
}
