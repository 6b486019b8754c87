use proto::songlist as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::context::not_null;
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

/// Changes of a playlist; a field that is missing stays as it is.
#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "name": "Saturday night" })))]
pub(crate) struct PlaylistChange {
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub name: Option<String>,
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub description: Option<String>,
}

/// 1 to 500 ids.
#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "tenant_song_ids": ["0198c2f4-7d1e-7a43-9a53-3f6d0e2b8c11"] })))]
pub(crate) struct EntryIds {
    #[schema(required = true)]
    #[serde(default)]
    pub tenant_song_ids: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RemovedView {
    pub deleted_count: u64,
    /// Ids that are not in the playlist.
    pub not_found: Vec<String>,
    pub playlist: PlaylistView,
}

/// Songs that stand next to each other and move together. Positions count from 1.
#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "range_start": 1, "range_length": 1, "insert_before": 1 })))]
pub(crate) struct EntryMove {
    /// The position of the first song that moves.
    #[schema(required = true)]
    #[serde(default)]
    pub range_start: i64,
    /// How many songs move.
    #[schema(required = true)]
    #[serde(default)]
    pub range_length: i64,
    /// They are put before the song that is at this position now; one more than there are songs for the end.
    #[schema(required = true)]
    #[serde(default)]
    pub insert_before: i64,
}
