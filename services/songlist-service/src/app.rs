use std::sync::Arc;

use kit::assertion::KeyRing;
use kit::bulk_thread::BulkThread;
use kit::health::Health;
use kit::ids::TenantId;
use kit::metrics::Metrics;
use kit::turns::Turns;
use kit::{Clock, Code};
use kit_pg::{Conflict, Pool};
use outbox::Wake;
use tokio::sync::Semaphore;

use crate::config::Config;
use crate::domain::genre_names::GenreNames;
use crate::media::Media;
use crate::peers::Peers;

/// Imports that run at once in this process, which take up to ten megabytes each: of a file of 100,000 rows it is kept what was seen. They
/// wait for one connection in turn, for which 96 may wait: an import that cannot would end after some of its batches.
const MOST_IMPORTS: usize = 32;

/// What a violated constraint means to a caller.
const CONFLICTS: &[Conflict] = &[
    Conflict { constraint: "genres_name_key", code: Code::GenreExists },
    Conflict { constraint: "songs_tenant_key", code: Code::SongExists },
    Conflict { constraint: "songs_global_key", code: Code::SongExists },
    Conflict { constraint: "tenant_songs_song_key", code: Code::AlreadyLinked },
    Conflict { constraint: "playlists_name_key", code: Code::PlaylistExists },
    Conflict { constraint: "playlist_entries_pkey", code: Code::AlreadyPresent },
    Conflict { constraint: "song_requests_open_key", code: Code::RequestExists },
];

/// The state that all handlers of the service share.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The contents of [`App`].
pub struct Parts {
    pub(crate) pg: Pool,
    /// The connection of imports, used on their thread only. However many tenants import, one batch is stored at a time, and pages never
    /// wait for a connection that an import holds.
    pub(crate) pg_of_imports: Pool,
    /// The thread of imports.
    pub(crate) bulk_thread: Arc<BulkThread>,
    /// Imports that run, by tenant (`None`: the platform).
    pub(crate) imports: Turns<Option<TenantId>>,
    /// How many more imports may begin.
    pub(crate) imports_at_once: Arc<Semaphore>,
    /// Tenants that put many songs on their list now.
    pub(crate) bulk_links: Turns<TenantId>,
    pub(crate) clock: Clock,
    pub(crate) keys: KeyRing,
    pub(crate) wake: Wake,
    pub(crate) health: Health,
    pub(crate) metrics: Metrics,
    pub(crate) peers: Peers,
    pub(crate) genre_names: GenreNames,
    pub(crate) media: Media,
    /// Uploads of artwork that run, by tenant (`None`: the platform).
    pub(crate) artwork_of: Turns<Option<TenantId>>,
    /// Images that are decoded now.
    pub(crate) decoding: Arc<Semaphore>,
    pub(crate) songs_need_premium: bool,
}

impl App {
    /// Creates the state; nothing is connected yet.
    ///
    /// # Errors
    /// When an address cannot be read.
    pub fn new(config: Config) -> anyhow::Result<Self> {
        let metrics = Metrics::new()?;
        let parts = Parts {
            pg: Pool::new(&config.pg, CONFLICTS),
            pg_of_imports: Pool::new(&config.pg.for_bulk_work("imports"), CONFLICTS),
            bulk_thread: Arc::new(BulkThread::start("imports")?),
            imports: Turns::default(),
            imports_at_once: Arc::new(Semaphore::new(MOST_IMPORTS)),
            bulk_links: Turns::default(),
            wake: Wake::default(),
            health: Health::default(),
            peers: Peers::new(&config, &metrics),
            metrics,
            genre_names: GenreNames::default(),
            media: Media::new(&config.media)?,
            artwork_of: Turns::default(),
            decoding: Arc::new(Semaphore::new(1)),
            songs_need_premium: config.songs_need_premium,
            keys: config.keys,
            clock: config.clock,
        };
        Ok(Self(Arc::new(parts)))
    }
}

impl std::ops::Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
