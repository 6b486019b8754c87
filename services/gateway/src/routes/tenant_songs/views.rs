use proto::songlist as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::reply::time;
use crate::routes::songs::views::visibility;

/// A song on the tenant's list.
#[derive(Serialize, ToSchema)]
pub(crate) struct TenantSongView {
    /// The id of the link.
    pub id: String,
    pub song_id: String,
    pub title: String,
    pub artist: String,
    pub album: String,
    /// The genre's name.
    pub genre: String,
    pub genre_id: String,
    /// Seconds.
    pub duration: Option<u32>,
    pub release_year: Option<u32>,
    pub artwork: Option<String>,
    pub visibility: &'static str,
    /// Whether the song is approved.
    pub is_active: bool,
    pub created_at: String,
    pub updated_at: String,
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
#[schema(examples(json!({ "song_id": "0198c2f4-7d1e-7a43-9a53-3f6d0e2b8c11", "is_active": true })))]
pub(crate) struct NewLink {
    #[schema(required = true)]
    #[serde(default)]
    pub song_id: String,
    pub is_active: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "is_active": true })))]
pub(crate) struct Approval {
    #[schema(required = true, nullable = false)]
    pub is_active: Option<bool>,
}
