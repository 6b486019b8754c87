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

/// At least one of the three lists, each of at most 1,000.
#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "genre_ids": ["0198c2f4-7d1e-7a43-9a53-3f6d0e2b8c11"], "artists": ["David Bowie"] })))]
pub(crate) struct ManyLinks {
    pub song_ids: Option<Vec<String>>,
    pub genre_ids: Option<Vec<String>>,
    /// Names; case and accents do not count.
    pub artists: Option<Vec<String>>,
    /// Whether the songs are approved at once; true unless said otherwise.
    pub is_active: Option<bool>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct LinkedView {
    pub total_added_songs: u64,
    pub already_linked: u64,
    /// Ids and artists for which there is no song.
    pub not_found: Vec<String>,
}

/// 1 to 1,000 ids.
#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "tenant_song_ids": ["0198c2f4-7d1e-7a43-9a53-3f6d0e2b8c11"] })))]
pub(crate) struct ManyIds {
    #[schema(required = true)]
    #[serde(default)]
    pub tenant_song_ids: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct UnlinkedView {
    pub deleted_count: u64,
    /// Ids that are not on the list.
    pub not_found: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "tenant_song_ids": ["0198c2f4-7d1e-7a43-9a53-3f6d0e2b8c11"], "is_active": false })))]
pub(crate) struct ManyApprovals {
    /// 1 to 1,000 ids.
    #[schema(required = true)]
    #[serde(default)]
    pub tenant_song_ids: Vec<String>,
    #[schema(required = true, nullable = false)]
    pub is_active: Option<bool>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ApprovedView {
    pub updated_count: u64,
    /// Those that were in this state already.
    pub unchanged_count: u64,
    /// Ids that are not on the list.
    pub not_found: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SuggestionsView {
    /// At most ten.
    pub suggestions: Vec<SuggestionView>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SuggestionView {
    /// `title` or `artist`.
    pub kind: &'static str,
    pub text: String,
    /// The artist of a title.
    pub artist: Option<String>,
}

impl From<pb::SuggestSongsResponse> for SuggestionsView {
    fn from(found: pb::SuggestSongsResponse) -> Self {
        let view = |suggestion: pb::Suggestion| SuggestionView {
            kind: match suggestion.kind() {
                pb::SuggestionKind::Artist => "artist",
                pb::SuggestionKind::Title | pb::SuggestionKind::Unspecified => "title",
            },
            text: suggestion.text,
            artist: suggestion.artist,
        };
        Self { suggestions: found.suggestions.into_iter().map(view).collect() }
    }
}
