use proto::songlist as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::context::{not_null, nullable};
use crate::http::reply::{opt_time, time};
use crate::routes::songs::views::NewSong;

#[derive(Serialize, ToSchema)]
pub(crate) struct SongRequestView {
    pub id: String,
    pub song_title: String,
    pub artist_name: String,
    pub album_name: String,
    pub additional_notes: String,
    pub status: &'static str,
    pub status_display: &'static str,
    pub requester_id: String,
    /// Null while it cannot be looked up.
    pub requester_name: Option<String>,
    /// Shown to ADMINs only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester_email: Option<String>,
    pub reviewed_by: Option<String>,
    pub reviewed_at: Option<String>,
    pub rejection_reason: String,
    pub fulfilled_song: Option<String>,
    pub fulfilled_at: Option<String>,
    pub created_at: String,
    pub updated_at: String,
}

impl From<pb::SongRequest> for SongRequestView {
    fn from(request: pb::SongRequest) -> Self {
        let (status, status_display) = match request.status() {
            pb::RequestStatus::Approved => ("APPROVED", "Approved"),
            pb::RequestStatus::Rejected => ("REJECTED", "Rejected"),
            pb::RequestStatus::Fulfilled => ("FULFILLED", "Fulfilled"),
            pb::RequestStatus::Pending | pb::RequestStatus::Unspecified => ("PENDING", "Pending"),
        };
        Self {
            id: request.id,
            song_title: request.song_title,
            artist_name: request.artist_name,
            album_name: request.album_name,
            additional_notes: request.additional_notes,
            status,
            status_display,
            requester_id: request.requester_id,
            requester_name: request.requester_name,
            requester_email: request.requester_email,
            reviewed_by: request.reviewed_by,
            reviewed_at: opt_time(request.reviewed_at),
            rejection_reason: request.rejection_reason,
            fulfilled_song: request.fulfilled_song,
            fulfilled_at: opt_time(request.fulfilled_at),
            created_at: time(request.created_at),
            updated_at: time(request.updated_at),
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "song_title": "Heroes", "artist_name": "David Bowie", "additional_notes": "The long version, please." })))]
pub(crate) struct NewSongRequest {
    #[schema(required = true)]
    #[serde(default)]
    pub song_title: String,
    #[schema(required = true)]
    #[serde(default)]
    pub artist_name: String,
    pub album_name: Option<String>,
    pub additional_notes: Option<String>,
    /// The requester's id; for ADMINs only.
    pub user_id: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "action": "approve" })))]
pub(crate) struct Review {
    /// `approve` or `reject`.
    #[schema(required = true)]
    #[serde(default)]
    pub action: String,
    /// Required for `reject`.
    pub rejection_reason: Option<String>,
}

/// Either a song that exists, or a new one.
#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "song_id": "0198c2f4-7d1e-7a43-9a53-3f6d0e2b8c11" })))]
pub(crate) struct Fulfilment {
    pub song_id: Option<String>,
    pub song: Option<NewSong>,
}

/// Changes of a request; a field that is missing stays as it is.
#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "additional_notes": "The short version is fine, too." })))]
pub(crate) struct SongRequestChange {
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub song_title: Option<String>,
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub artist_name: Option<String>,
    /// Null is the same as an empty text.
    #[schema(value_type = Option<String>)]
    #[serde(default, deserialize_with = "nullable")]
    pub album_name: Option<Option<String>>,
    /// Null is the same as an empty text.
    #[schema(value_type = Option<String>)]
    #[serde(default, deserialize_with = "nullable")]
    pub additional_notes: Option<Option<String>>,
}
