mod import;

pub(crate) use import::{ImportView, import};

use proto::songlist as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::context::{Answered, Cx};
use crate::http::error::HttpError;
use crate::http::page::{Wanted, list as page};
use crate::http::reply::{Reply, time};

/// A song of the catalogue.
#[derive(Serialize, ToSchema)]
pub(crate) struct SongView {
    id: String,
    title: String,
    artist: String,
    album: String,
    /// Its id.
    genre: String,
    genre_name: String,
    /// Seconds.
    duration: Option<u32>,
    release_year: Option<u32>,
    artwork: Option<String>,
    visibility: &'static str,
    tenant: Option<String>,
    user: Option<String>,
    created_at: String,
    updated_at: String,
}

impl From<pb::Song> for SongView {
    fn from(song: pb::Song) -> Self {
        let visibility = visibility(song.visibility());
        Self {
            id: song.id,
            title: song.title,
            artist: song.artist,
            album: song.album,
            genre: song.genre_id,
            genre_name: song.genre_name,
            duration: song.duration,
            release_year: song.release_year,
            artwork: song.artwork,
            visibility,
            tenant: song.tenant_id,
            user: song.user_id,
            created_at: time(song.created_at),
            updated_at: time(song.updated_at),
        }
    }
}

pub(super) fn visibility(visibility: pb::Visibility) -> &'static str {
    match visibility {
        pb::Visibility::Global => "GLOBAL",
        pb::Visibility::Tenant | pb::Visibility::Unspecified => "TENANT",
    }
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct NewSong {
    #[serde(default)]
    title: String,
    #[serde(default)]
    artist: String,
    album: Option<String>,
    /// Its id.
    #[serde(default)]
    genre: String,
    /// Seconds, 1 to 32767.
    duration: Option<i64>,
    release_year: Option<i64>,
}

impl NewSong {
    pub(super) fn message(self) -> pb::NewSong {
        pb::NewSong {
            title: self.title,
            artist: self.artist,
            album: self.album.unwrap_or_default(),
            genre: self.genre,
            duration: self.duration,
            release_year: self.release_year,
        }
    }
}

/// The filters that song lists share.
pub(super) fn filters(cx: &Cx) -> Result<Option<pb::SongFilters>, HttpError> {
    Ok(Some(pb::SongFilters {
        title: cx.all("title"),
        artist: cx.all("artist"),
        album: cx.all("album"),
        genre: cx.all("genre"),
        visibility: cx.one("visibility"),
        q: cx.one("q"),
        is_active: cx.flag("is_active")?,
        ordering: cx.one("ordering").unwrap_or_default(),
    }))
}

pub(crate) async fn create(cx: Cx) -> Answered {
    let body: NewSong = cx.json()?;
    let made = cx.app.peers.songs().create(cx.ask(pb::CreateSongRequest { song: Some(body.message()) })).await?;
    let view = SongView::from(made.get_ref().clone());
    Ok(Reply::data(201, "Song created.", &view)?.replayed_by(&made))
}

pub(crate) async fn get(cx: Cx) -> Answered {
    let song = cx.app.peers.songs().get(cx.ask(pb::GetSongRequest { id: cx.path("id") })).await?.into_inner();
    let version = song.version;
    Reply::object(&cx, "Song.", version, &SongView::from(song))
}

pub(crate) async fn list(cx: Cx) -> Answered {
    let wanted = Wanted::of(&cx)?;
    let request = cx.ask(pb::ListSongsRequest { page: wanted.message(), filters: filters(&cx)? });
    let found = cx.app.peers.songs().list(request).await?.into_inner();
    page(&cx, &wanted, found.page, found.songs.into_iter().map(SongView::from).collect())
}
