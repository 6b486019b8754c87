//! Stores rows a thousand at a time.

use std::collections::{BTreeSet, HashMap, HashSet};

use kit::Error;
use kit::caller::Caller;
use kit::ids::TenantId;
use kit_pg::{Conn, Scope};
use uuid::Uuid;

use crate::App;
use crate::domain::audit::{self, Event};
use crate::domain::linking::{Linked, vocabulary};
use crate::store::genres;
use crate::store::imports::{insert_missing, with_titles};
use crate::store::search_words::{self, Vocabulary};
use crate::store::songs::Song;
use crate::store::tenant_songs::{self, Link};

/// Rows that are committed in one transaction.
pub(super) struct Batch<'a> {
    pub(super) app: &'a App,
    pub(super) caller: &'a Caller,
    pub(super) owner: Option<TenantId>,
    pub(super) dry_run: bool,
    /// True until a batch has stored something: the audit log has one event of an import, with its first rows.
    pub(super) is_first: bool,
    pub(super) rows: Vec<Candidate>,
}

/// A valid row.
pub(super) struct Candidate {
    /// The number of the row.
    pub(super) number: u64,
    pub(super) song: Song,
}

/// The form that is compared to find duplicates: title, artist and album.
type Form = (String, String, String);

pub(super) fn form(song: &Song) -> Form {
    (song.title_norm.clone(), song.artist_norm.clone(), song.album_norm.clone())
}

/// The result of a batch.
#[derive(Default)]
pub(super) struct Done {
    pub(super) created: u64,
    pub(super) linked: u64,
    pub(super) skipped: u64,
    /// Rows whose genre was deleted meanwhile.
    pub(super) lost: Vec<u64>,
}

impl Batch<'_> {
    /// Commits the batch.
    pub(super) async fn store(self) -> Result<Done, Error> {
        let (scope, now) = (Scope::tenant_or_platform(self.owner), self.app.clock.now());
        self.app
            .pg_of_imports
            .transaction(scope, async |conn: &mut Conn| {
                let wanted: HashSet<Uuid> = self.rows.iter().map(|row| row.song.genre_id).collect();
                let wanted: Vec<Uuid> = wanted.into_iter().collect();
                let live = genres::live_among(conn, &wanted).await?;
                let (batch, lost): (Vec<&Candidate>, Vec<&Candidate>) =
                    self.rows.iter().partition(|row| live.contains(&row.song.genre_id));
                let batch: Vec<&Song> = batch.into_iter().map(|row| &row.song).collect();
                let titles: BTreeSet<&str> = batch.iter().map(|song| song.title_norm.as_str()).collect();
                let titles: Vec<String> = titles.into_iter().map(str::to_owned).collect();
                let known = with_titles(conn, self.owner, &titles).await?;
                let mut present: HashMap<Form, &Song> = HashMap::new();
                for song in &known {
                    // When both exist, the tenant's own song is used and not the GLOBAL one.
                    let entry = present.entry(form(song)).or_insert(song);
                    if song.tenant_id.is_some() {
                        *entry = song;
                    }
                }
                let (old, new): (Vec<&Song>, Vec<&Song>) =
                    batch.into_iter().partition(|song| present.contains_key(&form(song)));
                let lost = lost.into_iter().map(|row| row.number).collect();
                let mut done = Done { lost, ..Done::default() };
                if self.dry_run {
                    done.created = count(new.len());
                    done.skipped = count(old.len());
                    return Ok(done);
                }
                let rows: Vec<Song> = new.into_iter().cloned().collect();
                let inserted = insert_missing(conn, &rows).await?;
                let created: Vec<&Song> = rows.iter().filter(|song| inserted.contains(&song.id)).collect();
                // From here on the references keep genres from being deleted; in the moment before they did not.
                if genres::live_among(conn, &wanted).await?.len() < live.len() {
                    return Err(Error::unavailable(anyhow::anyhow!("a genre was deleted during an import")).into());
                }
                done.created = count(created.len());
                // Songs that a concurrent request has created count as duplicates.
                done.skipped = count(rows.len() - created.len());
                let Some(tenant) = self.owner else {
                    let songs = created.iter().map(|song| (song.words.as_str(), song.artist_norm.as_str()));
                    search_words::add(conn, Vocabulary::GLOBAL, &vocabulary(songs)).await?;
                    done.skipped += count(old.len());
                    if self.is_first && done.created > 0 {
                        audit::record(conn, self.app, self.caller, event(None)).await?;
                    }
                    return Ok(done);
                };
                let link = |song: &Song| Link::new(tenant, song, true);
                let fresh: Vec<Link> = created.into_iter().map(link).collect();
                let mut list = Linked::default();
                list.add(&fresh, &tenant_songs::link_created(conn, &fresh, now).await?);
                let created = list.total;
                let wanted: Vec<Link> =
                    old.iter().filter_map(|song| present.get(&form(song)).map(|song| link(song))).collect();
                list.add(&wanted, &tenant_songs::link(conn, tenant, &wanted, now).await?);
                let linked = list.total - created;
                list.finish(conn, tenant).await?;
                done.linked = count(linked);
                done.skipped += count(old.len() - linked);
                if self.is_first && done.created + done.linked > 0 {
                    audit::record(conn, self.app, self.caller, event(Some(tenant.0))).await?;
                }
                Ok(done)
            })
            .await
    }
}

/// An import that has stored rows; how many is told to its caller only.
fn event(tenant: Option<Uuid>) -> Event<'static> {
    Event { tenant, actor: None, action: "songs_import", target: None, result: "success" }
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
