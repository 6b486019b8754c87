use std::sync::Arc;

use kit::Clock;
use kit::caller::KeyRing;
use kit::health::Health;
use kit::metrics::Metrics;
use kit_pg::{Conflict, Pool};
use outbox::Wake;

use crate::config::Config;
use crate::peers::Peers;

/// What a violated constraint means to a caller.
const CONFLICTS: &[Conflict] = &[
    Conflict { constraint: "genres_name_key", code: "genre_exists", text: "A genre with this name exists already." },
    Conflict { constraint: "songs_tenant_key", code: "song_exists", text: "This song exists already." },
    Conflict { constraint: "songs_global_key", code: "song_exists", text: "This song exists already." },
    Conflict { constraint: "tenant_songs_song_key", code: "already_linked", text: "This song is on the list already." },
    Conflict {
        constraint: "playlists_name_key",
        code: "playlist_exists",
        text: "A playlist with this name exists already.",
    },
    Conflict {
        constraint: "playlist_entries_pkey",
        code: "already_present",
        text: "This song is in the playlist already.",
    },
    Conflict { constraint: "song_requests_open_key", code: "request_exists", text: "This song was requested already." },
];

/// What every handler of the service shares.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts behind [`App`].
pub struct Parts {
    pub(crate) pg: Pool,
    pub(crate) clock: Clock,
    pub(crate) keys: KeyRing,
    pub(crate) wake: Wake,
    pub(crate) health: Health,
    pub(crate) metrics: Metrics,
    pub(crate) peers: Peers,
    pub(crate) songs_need_premium: bool,
}

impl App {
    /// Puts the parts together; nothing is connected yet.
    ///
    /// # Errors
    /// When an address cannot be read.
    pub fn new(config: Config) -> anyhow::Result<Self> {
        let parts = Parts {
            pg: Pool::new(&config.pg, CONFLICTS),
            wake: Wake::default(),
            health: Health::default(),
            metrics: Metrics::new()?,
            peers: Peers::new(&config)?,
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
