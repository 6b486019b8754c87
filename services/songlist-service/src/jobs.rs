//! Recurring work that the scheduler starts by name. Each is idempotent, takes no argument and reports counts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use chrono::Duration;
use kit::Error;
use kit::ids::TenantId;
use kit_pg::{Conn, OLD_KEYS, Scope};
use outbox::{OLD_INBOX, OLD_OUTBOX};
use uuid::Uuid;

use crate::App;
use crate::domain::linking::vocabulary;
use crate::domain::normalise::searched;
use crate::store::search_words::{self, Vocabulary};
use crate::store::unfilled::{self, Unfilled};
use crate::store::{link_changes, long_lists};

/// The scheduler waits a minute for a run, and the next one goes on.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(40);
/// The same for long lists.
const LONG_LISTS: std::time::Duration = std::time::Duration::from_secs(30);

/// Runs a job.
///
/// # Errors
/// `NotFound` when this service has no job with this name.
pub(crate) async fn run(app: &App, name: &str) -> Result<String, Error> {
    match name {
        "songlist.purge" => purge(app).await,
        "songlist.count_out_deleted" => count_out_deleted(app).await,
        "songlist.fill_words" => fill_words(app).await,
        "songlist.keep_landmarks" => keep_landmarks(app).await,
        _ => Err(Error::not_found()),
    }
}

/// Takes songs that were deleted some minutes ago out of the stored counts of lists. Until then each count is read with what
/// is to be subtracted. By that time no transaction is left that has seen the song live and links it.
async fn count_out_deleted(app: &App) -> Result<String, Error> {
    const BATCH: i64 = 50;
    let before = app.clock.now() - Duration::minutes(5);
    let mut songs = 0;
    loop {
        let out = async |conn: &mut Conn| link_changes::count_out(conn, before, BATCH).await;
        let counted = app.pg.transaction(Scope::Worker, out).await?;
        songs += counted;
        if i64::try_from(counted).is_ok_and(|counted| counted < BATCH) {
            return Ok(format!("counted out {songs}"));
        }
    }
}

/// Gives words to songs and links of releases that knew none, so that searches find them.
async fn fill_words(app: &App) -> Result<String, Error> {
    let (mut filled, begun) = (0, Instant::now());
    loop {
        let batch = async |conn: &mut Conn| {
            let (songs, links) = (unfilled::songs(conn, FILLED).await?, unfilled::links(conn, FILLED).await?);
            unfilled::fill_songs(conn, &words_of(&songs)).await?;
            unfilled::fill_links(conn, &words_of(&links)).await?;
            let mut vocabularies: BTreeMap<Vocabulary, BTreeSet<String>> = BTreeMap::new();
            for row in songs.iter().filter(|song| song.tenant.is_none()).chain(&links) {
                let of = row.tenant.map_or(Vocabulary::GLOBAL, |tenant| Vocabulary::of(TenantId(tenant)));
                let words = searched(&row.title, &row.artist, &row.album);
                let mut new = vocabulary(std::iter::once((words.as_str(), row.artist_norm.as_str())));
                vocabularies.entry(of).or_default().append(&mut new);
            }
            for (of, words) in vocabularies {
                search_words::add(conn, of, &words).await?;
            }
            Ok(songs.len() + links.len())
        };
        let rows = app.pg.transaction(Scope::Worker, batch).await?;
        filled += rows;
        if rows == 0 {
            return Ok(format!("filled {filled}"));
        }
        if begun.elapsed() > PATIENCE {
            return Ok(format!("filled {filled}, more remain"));
        }
    }
}

/// Makes landmarks and histograms of long lists, and puts what has changed into those that are there.
async fn keep_landmarks(app: &App) -> Result<String, Error> {
    // One step that was begun before takes up to 20 seconds more.
    let late = Instant::now() + LONG_LISTS;
    let tenants =
        app.pg.transaction(Scope::Worker, async |conn: &mut Conn| long_lists::to_complete(conn).await).await?;
    let (mut added, mut left, mut failed) = (0, 0, None);
    for tenant in &tenants {
        if Instant::now() > late {
            left += 1;
            continue;
        }
        // One list that takes too long must not keep the others from their landmarks.
        match long_lists::complete(&app.pg, *tenant, late).await {
            Ok(landmarks) => added += landmarks,
            Err(error) => failed = Some(error),
        }
    }
    let all = tenants.len();
    failed.map_or_else(|| Ok(format!("{all} lists, of which {left} remain; {added} landmarks added")), Err)
}

/// Rows of each table that are filled in one transaction.
const FILLED: i64 = 500;

fn words_of(rows: &[Unfilled]) -> Vec<(Uuid, String)> {
    rows.iter().map(|row| (row.id, searched(&row.title, &row.artist, &row.album))).collect()
}

/// Deletes rows that are no longer needed.
async fn purge(app: &App) -> Result<String, Error> {
    let ages = [(OLD_KEYS, Duration::hours(24)), (OLD_OUTBOX, Duration::days(7)), (OLD_INBOX, Duration::days(30))];
    kit_pg::purge(&app.pg, &ages, app.clock.now()).await
}
