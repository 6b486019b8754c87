use proto::songlist as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::reply::time;

#[derive(Serialize, ToSchema)]
pub(crate) struct PlaylistView {
    pub id: String,
    pub name: String,
    pub description: String,
    /// The owner's id.
    pub user: String,
    pub song_count: i64,
    /// Seconds.
    pub total_duration: i64,
    pub version: i64,
    pub created_at: String,
    pub updated_at: String,
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
    pub id: String,
    pub position: i64,
    pub song_id: String,
    pub title: String,
    pub artist: String,
    pub album: String,
    pub genre: String,
    /// Seconds.
    pub duration: Option<u32>,
    pub release_year: Option<u32>,
    pub available: bool,
    pub added_at: String,
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
#[schema(examples(json!({ "name": "Friday night", "description": "Loud ones first." })))]
pub(crate) struct NewPlaylist {
    #[schema(required = true)]
    #[serde(default)]
    pub name: String,
    pub description: Option<String>,
    /// The owner's id; for ADMINs only.
    pub user_id: Option<String>,
}

/// One id, or a list of at most 500.
#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "tenant_song_ids": ["0198c2f4-7d1e-7a43-9a53-3f6d0e2b8c11"] })))]
pub(crate) struct NewEntries {
    pub tenant_song_id: Option<String>,
    pub tenant_song_ids: Option<Vec<String>>,
    /// The position from 1; at the end when missing.
    pub position: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AddedView {
    pub added: u64,
    pub already_present: Vec<String>,
    pub not_found: Vec<String>,
    pub playlist: PlaylistView,
}
