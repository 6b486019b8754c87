//! Stores rows a thousand at a time.

use std::collections::{BTreeSet, HashMap, HashSet};

use kit::Error;
use kit::caller::Caller;
use kit::ids::TenantId;
use kit_pg::{Conn, Scope, TxError};
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
    /// Each of another form.
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

/// The rows of a batch, parted by what is stored already.
struct Parted {
    new: Vec<Song>,
    /// The stored songs of the rows that exist already.
    old: Vec<Song>,
    /// The live genres of the rows.
    genres: Vec<Uuid>,
    /// Rows whose genre was deleted meanwhile.
    lost: Vec<u64>,
}

impl Batch<'_> {
    /// Commits the batch.
    pub(super) async fn store(self) -> Result<Done, Error> {
        let scope = Scope::tenant_or_platform(self.owner);
        self.app
            .pg_of_imports
            .transaction(scope, async |conn: &mut Conn| {
                let Parted { new, old, genres, lost } = self.parted(conn).await?;
                let mut done = Done { lost, ..Done::default() };
                if self.dry_run {
                    done.created = count(new.len());
                    if let Some(tenant) = self.owner {
                        let ids: Vec<Uuid> = old.iter().map(|song| song.id).collect();
                        done.linked = count(old.len() - tenant_songs::count_songs(conn, tenant, &ids).await?);
                    }
                    done.skipped = count(old.len()) - done.linked;
                    return Ok(done);
                }
                let created = create(conn, &new, &genres).await?;
                done.created = count(created.len());
                match self.owner {
                    Some(tenant) => done.linked = self.link(conn, tenant, &created, &old).await?,
                    None => {
                        let songs = created.iter().map(|song| (song.words.as_str(), song.artist_norm.as_str()));
                        search_words::add(conn, Vocabulary::GLOBAL, &vocabulary(songs)).await?;
                    }
                }
                // Songs that a concurrent request has created count as duplicates.
                done.skipped = count(new.len() + old.len()) - done.created - done.linked;
                if self.is_first && done.created + done.linked > 0 {
                    audit::record(conn, self.app, self.caller, event(self.owner)).await?;
                }
                Ok(done)
            })
            .await
    }

    /// Looks up what exists already, and parts the rows by it.
    async fn parted(&self, conn: &Conn) -> Result<Parted, TxError> {
        let wanted: HashSet<Uuid> = self.rows.iter().map(|row| row.song.genre_id).collect();
        let genres = genres::live_among(conn, &Vec::from_iter(wanted)).await?;
        let (rows, lost): (Vec<&Candidate>, Vec<&Candidate>) =
            self.rows.iter().partition(|row| genres.contains(&row.song.genre_id));
        let titles: BTreeSet<&str> = rows.iter().map(|row| row.song.title_norm.as_str()).collect();
        let titles: Vec<String> = titles.into_iter().map(str::to_owned).collect();
        let mut present: HashMap<Form, Song> = HashMap::new();
        for song in with_titles(conn, self.owner, &titles).await? {
            // When both exist, the tenant's own song is used and not the GLOBAL one.
            if song.tenant_id.is_some() || !present.contains_key(&form(&song)) {
                present.insert(form(&song), song);
            }
        }
        let (mut new, mut old) = (Vec::new(), Vec::new());
        for row in rows {
            match present.remove(&form(&row.song)) {
                Some(song) => old.push(song),
                None => new.push(row.song.clone()),
            }
        }
        Ok(Parted { new, old, genres, lost: lost.into_iter().map(|row| row.number).collect() })
    }

    /// Puts songs on the tenant's list; returns how many of the `old` ones were not on it.
    async fn link(&self, conn: &mut Conn, tenant: TenantId, created: &[&Song], old: &[Song]) -> Result<u64, TxError> {
        let now = self.app.clock.now();
        let created: Vec<Link> = created.iter().map(|song| Link::new(tenant, song, true)).collect();
        let old: Vec<Link> = old.iter().map(|song| Link::new(tenant, song, true)).collect();
        let mut list = Linked::default();
        list.add(&created, &tenant_songs::link_created(conn, &created, now).await?);
        let linked = tenant_songs::link(conn, tenant, &old, now).await?;
        list.add(&old, &linked);
        list.finish(conn, tenant).await?;
        Ok(count(linked.len()))
    }
}

/// Inserts songs; returns those that no concurrent request has inserted.
async fn create<'a>(conn: &mut Conn, new: &'a [Song], genres: &[Uuid]) -> Result<Vec<&'a Song>, TxError> {
    let inserted = insert_missing(conn, new).await?;
    // From here on the references keep genres from being deleted; in the moment before they did not.
    if genres::live_among(conn, genres).await?.len() < genres.len() {
        return Err(Error::unavailable(anyhow::anyhow!("a genre was deleted during an import")).into());
    }
    Ok(new.iter().filter(|song| inserted.contains(&song.id)).collect())
}

/// An import that has stored rows; how many is told to its caller only.
fn event(owner: Option<TenantId>) -> Event<'static> {
    Event { tenant: owner.map(|tenant| tenant.0), actor: None, action: "songs_import", target: None, result: "success" }
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
