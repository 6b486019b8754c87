use proto::songlist as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::context::{Answered, Cx, required};
use crate::http::page::{Wanted, list as page};
use crate::http::reply::{Reply, time};
use crate::routes::songs::{filters, visibility};

/// A song on the tenant's list.
#[derive(Serialize, ToSchema)]
pub(crate) struct TenantSongView {
    /// Of the link.
    id: String,
    song_id: String,
    title: String,
    artist: String,
    album: String,
    /// Its name.
    genre: String,
    genre_id: String,
    /// Seconds.
    duration: Option<u32>,
    release_year: Option<u32>,
    artwork: Option<String>,
    visibility: &'static str,
    /// Approved.
    is_active: bool,
    created_at: String,
    updated_at: String,
}

impl From<pb::TenantSong> for TenantSongView {
    fn from(song: pb::TenantSong) -> Self {
        let visibility = visibility(song.visibility());
        Self {
            id: song.id,
            song_id: song.song_id,
            title: song.title,
            artist: song.artist,
            album: song.album,
            genre: song.genre_name,
            genre_id: song.genre_id,
            duration: song.duration,
            release_year: song.release_year,
            artwork: song.artwork,
            visibility,
            is_active: song.is_active,
            created_at: time(song.created_at),
            updated_at: time(song.updated_at),
        }
    }
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct NewLink {
    #[serde(default)]
    song_id: String,
    is_active: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Approval {
    is_active: Option<bool>,
}

pub(crate) async fn create(cx: Cx) -> Answered {
    let body: NewLink = cx.json()?;
    let request = cx.ask(pb::LinkSongRequest { song_id: body.song_id, is_active: body.is_active });
    let made = cx.app.peers.tenant_songs().link(request).await?;
    let view = TenantSongView::from(made.get_ref().clone());
    Ok(Reply::data(201, "Song added to the list.", &view)?.replayed_by(&made))
}

pub(crate) async fn get(cx: Cx) -> Answered {
    let request = cx.ask(pb::GetTenantSongRequest { id: cx.path("id") });
    let song = cx.app.peers.tenant_songs().get(request).await?.into_inner();
    Reply::data(200, "Song.", &TenantSongView::from(song))
}

pub(crate) async fn list(cx: Cx) -> Answered {
    let wanted = Wanted::of(&cx)?;
    let request = cx.ask(pb::ListTenantSongsRequest { page: wanted.message(), filters: filters(&cx)? });
    let found = cx.app.peers.tenant_songs().list(request).await?.into_inner();
    page(&cx, &wanted, found.page, found.songs.into_iter().map(TenantSongView::from).collect())
}

pub(crate) async fn update(cx: Cx) -> Answered {
    let id = cx.path("id");
    let (mut asked, see) = (cx.app.peers.tenant_songs(), cx.ask(pb::GetTenantSongRequest { id: id.clone() }));
    let body: Approval = cx.json_of_object(asked.get(see)).await?;
    let is_active = match body.is_active {
        Some(is_active) => is_active,
        None => {
            asked.get(cx.ask(pb::GetTenantSongRequest { id: id.clone() })).await?;
            required("is_active", None)?
        }
    };
    let request = cx.ask(pb::SetTenantSongActiveRequest { id, is_active });
    let song = cx.app.peers.tenant_songs().set_active(request).await?.into_inner();
    Reply::data(200, "Song updated.", &TenantSongView::from(song))
}
