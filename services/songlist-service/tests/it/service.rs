use std::net::SocketAddr;

use kit::caller::Caller;
use kit::env::Env;
use kit::grpc::Peer;
use kit::lifecycle::Shutdown;
use proto::songlist::genres_client::GenresClient;
use proto::songlist::songs_client::SongsClient;
use proto::songlist::{CreateGenreRequest, CreateSongRequest, ListSongsRequest, NewSong, Song, SongFilters};
use songlist_service::{Config, MIGRATIONS, start};
use testkit::TestDb;
use testkit::caller::{call, peer};

/// songlist-service with a schema of its own; the addresses of its peers do not answer.
pub(crate) struct Songlist {
    addr: SocketAddr,
    gateway: Peer,
    shutdown: Shutdown,
    pub(crate) db: TestDb,
}

impl Songlist {
    pub(crate) async fn start() -> Self {
        Self::start_with([("PREMIUM_GATES", "none".to_owned())]).await
    }

    pub(crate) async fn start_with<const N: usize>(settings: [(&str, String); N]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let db = TestDb::new("songlist", MIGRATIONS).await.unwrap();
        let nobody = ("AUTH_GRPC_URL", "http://127.0.0.1:1".to_owned());
        let settings = settings.into_iter().chain([nobody, ("PAYMENTS_GRPC_URL", "http://127.0.0.1:1".to_owned())]);
        let mut config = Config::from_env(&mut Env::of(settings));
        config.grpc_addr = "127.0.0.1:0".parse().unwrap();
        config.ops_addr = config.grpc_addr;
        config.pg = db.config().unwrap();
        config.media.root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/test-media").to_owned();
        let shutdown = Shutdown::new();
        let addr = start(config, shutdown.clone()).await.unwrap().grpc;
        let gateway = peer("gateway", "songlist", addr).unwrap();
        Self { addr, gateway, shutdown, db }
    }

    /// A channel over which another service calls songlist-service.
    pub(crate) fn called_by(&self, service: &str) -> Peer {
        peer(service, "songlist", self.addr).unwrap()
    }

    pub(crate) fn songs(&self) -> SongsClient<Peer> {
        SongsClient::new(self.gateway.clone())
    }

    /// Creates a genre as a SUPER_ADMIN; returns its id.
    pub(crate) async fn genre(&self, name: &str) -> String {
        let new = CreateGenreRequest { name: name.to_owned(), description: String::new() };
        let request = call(&testkit::caller::super_admin(), new);
        GenresClient::new(self.gateway.clone()).create(request).await.unwrap().into_inner().id
    }

    /// Creates a song as `caller`.
    pub(crate) async fn song(
        &self,
        caller: &Caller,
        title: &str,
        artist: &str,
        genre: &str,
    ) -> Result<Song, tonic::Status> {
        let song = NewSong { title: title.into(), artist: artist.into(), genre: genre.into(), ..NewSong::default() };
        let request = call(caller, CreateSongRequest { song: Some(song) });
        Ok(self.songs().create(request).await?.into_inner())
    }

    /// The titles of the songs in a list with these filters.
    pub(crate) async fn titles(&self, caller: &Caller, filters: SongFilters) -> Vec<String> {
        let request = call(caller, ListSongsRequest { page: None, filters: Some(filters) });
        let found = self.songs().list(request).await.unwrap().into_inner();
        found.songs.into_iter().map(|song| song.title).collect()
    }
}

impl Drop for Songlist {
    fn drop(&mut self) {
        self.shutdown.stop();
        self.shutdown.hard.cancel();
    }
}
