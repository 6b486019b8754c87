use kit::Error;
use proto::songlist as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::context::{Answered, Cx};
use crate::http::page::{Wanted, list as page};
use crate::http::reply::{Reply, time};

#[derive(Serialize, ToSchema)]
pub(crate) struct PlaylistView {
    id: String,
    name: String,
    description: String,
    /// The owner's id.
    user: String,
    song_count: i64,
    /// Seconds.
    total_duration: i64,
    version: i64,
    created_at: String,
    updated_at: String,
}

impl From<pb::Playlist> for PlaylistView {
    fn from(playlist: pb::Playlist) -> Self {
        Self {
            id: playlist.id,
            name: playlist.name,
            description: playlist.description,
            user: playlist.user_id,
            song_count: playlist.song_count,
            total_duration: playlist.total_duration,
            version: playlist.version,
            created_at: time(playlist.created_at),
            updated_at: time(playlist.updated_at),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct EntryView {
    /// The tenant song's id.
    id: String,
    position: i64,
    song_id: String,
    title: String,
    artist: String,
    album: String,
    genre: String,
    /// Seconds.
    duration: Option<u32>,
    release_year: Option<u32>,
    available: bool,
    added_at: String,
}

impl From<pb::PlaylistEntry> for EntryView {
    fn from(entry: pb::PlaylistEntry) -> Self {
        Self {
            id: entry.tenant_song_id,
            position: entry.position,
            song_id: entry.song_id,
            title: entry.title,
            artist: entry.artist,
            album: entry.album,
            genre: entry.genre_name,
            duration: entry.duration,
            release_year: entry.release_year,
            available: entry.available,
            added_at: time(entry.added_at),
        }
    }
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct NewPlaylist {
    #[serde(default)]
    name: String,
    description: Option<String>,
    /// ADMIN only: whose it is.
    user_id: Option<String>,
}

/// One id, or a list of at most 500.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewEntries {
    tenant_song_id: Option<String>,
    tenant_song_ids: Option<Vec<String>>,
    /// From 1; at the end when missing.
    position: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AddedView {
    added: u64,
    already_present: Vec<String>,
    not_found: Vec<String>,
    playlist: PlaylistView,
}

pub(crate) async fn create(cx: Cx) -> Answered {
    let body: NewPlaylist = cx.json()?;
    let request = cx.ask(pb::CreatePlaylistRequest {
        name: body.name,
        description: body.description.unwrap_or_default(),
        user_id: body.user_id,
    });
    let made = cx.app.peers.playlists().create(request).await?;
    let view = PlaylistView::from(made.get_ref().clone());
    Ok(Reply::data(201, "Playlist created.", &view)?.replayed_by(&made))
}

pub(crate) async fn get(cx: Cx) -> Answered {
    let request = cx.ask(pb::GetPlaylistRequest { id: cx.path("id") });
    let playlist = cx.app.peers.playlists().get(request).await?.into_inner();
    let version = playlist.version;
    Reply::object(&cx, "Playlist.", version, &PlaylistView::from(playlist))
}

pub(crate) async fn list(cx: Cx) -> Answered {
    let wanted = Wanted::of(&cx)?;
    let request = cx.ask(pb::ListPlaylistsRequest { page: wanted.message(), user_id: cx.one("user_id") });
    let found = cx.app.peers.playlists().list(request).await?.into_inner();
    page(&cx, &wanted, found.page, found.playlists.into_iter().map(PlaylistView::from).collect())
}

pub(crate) async fn entries(cx: Cx) -> Answered {
    let wanted = Wanted::of(&cx)?;
    let request = cx.ask(pb::ListPlaylistEntriesRequest { playlist_id: cx.path("id"), page: wanted.message() });
    let found = cx.app.peers.playlists().list_entries(request).await?.into_inner();
    page(&cx, &wanted, found.page, found.entries.into_iter().map(EntryView::from).collect())
}

pub(crate) async fn add_entries(cx: Cx) -> Answered {
    let see = cx.ask(pb::GetPlaylistRequest { id: cx.path("id") });
    let mut playlists = cx.app.peers.playlists();
    let body: NewEntries = cx.json_of_object(playlists.get(see)).await?;
    let (ids, single) = match (body.tenant_song_id, body.tenant_song_ids) {
        (Some(id), None) => (vec![id], true),
        (None, Some(ids)) => (ids, false),
        _ => {
            playlists.get(cx.ask(pb::GetPlaylistRequest { id: cx.path("id") })).await?;
            return Err(Error::invalid("non_field_errors", "Send either tenant_song_id or tenant_song_ids.").into());
        }
    };
    let request = cx.ask(pb::AddPlaylistEntriesRequest {
        playlist_id: cx.path("id"),
        tenant_song_ids: ids,
        single,
        position: body.position,
    });
    let done = playlists.add_entries(request).await?;
    let added = done.get_ref().clone();
    let view = AddedView {
        added: added.added,
        already_present: added.already_present,
        not_found: added.not_found,
        playlist: PlaylistView::from(added.playlist.unwrap_or_default()),
    };
    Ok(Reply::data(201, "Songs added.", &view)?.replayed_by(&done))
}

pub(crate) async fn remove_entry(cx: Cx) -> Answered {
    let request = cx
        .ask(pb::RemovePlaylistEntryRequest { playlist_id: cx.path("id"), tenant_song_id: cx.path("tenant_song_id") });
    cx.app.peers.playlists().remove_entry(request).await?;
    Ok(Reply::nothing())
}
