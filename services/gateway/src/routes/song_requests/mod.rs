use kit::Error;
use proto::songlist as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::context::{Answered, Cx};
use crate::http::page::{Wanted, list as page};
use crate::http::reply::{Reply, opt_time, time};
use crate::routes::songs::NewSong;

#[derive(Serialize, ToSchema)]
pub(crate) struct SongRequestView {
    id: String,
    song_title: String,
    artist_name: String,
    album_name: String,
    additional_notes: String,
    status: &'static str,
    status_display: &'static str,
    requester_id: String,
    /// Null while it cannot be looked up.
    requester_name: Option<String>,
    /// For ADMINs.
    #[serde(skip_serializing_if = "Option::is_none")]
    requester_email: Option<String>,
    reviewed_by: Option<String>,
    reviewed_at: Option<String>,
    rejection_reason: String,
    fulfilled_song: Option<String>,
    fulfilled_at: Option<String>,
    created_at: String,
    updated_at: String,
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
pub(crate) struct NewSongRequest {
    #[serde(default)]
    song_title: String,
    #[serde(default)]
    artist_name: String,
    album_name: Option<String>,
    additional_notes: Option<String>,
    /// ADMIN only: who asks.
    user_id: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Review {
    /// `approve` or `reject`.
    #[serde(default)]
    action: String,
    /// Required for `reject`.
    rejection_reason: Option<String>,
}

/// Either a song that exists, or a new one.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Fulfilment {
    song_id: Option<String>,
    song: Option<NewSong>,
}

pub(crate) async fn create(cx: Cx) -> Answered {
    let body: NewSongRequest = cx.json()?;
    let request = cx.ask(pb::CreateSongRequestRequest {
        song_title: body.song_title,
        artist_name: body.artist_name,
        album_name: body.album_name.unwrap_or_default(),
        additional_notes: body.additional_notes.unwrap_or_default(),
        user_id: body.user_id,
    });
    let made = cx.app.peers.song_requests().create(request).await?;
    let view = SongRequestView::from(made.get_ref().clone());
    Ok(Reply::data(201, "Song requested.", &view)?.replayed_by(&made))
}

pub(crate) async fn get(cx: Cx) -> Answered {
    let asked = cx.ask(pb::GetSongRequestRequest { id: cx.path("id") });
    let found = cx.app.peers.song_requests().get(asked).await?.into_inner();
    Reply::data(200, "Song request.", &SongRequestView::from(found))
}

pub(crate) async fn list(cx: Cx) -> Answered {
    let wanted = Wanted::of(&cx)?;
    let request = cx.ask(pb::ListSongRequestsRequest {
        page: wanted.message(),
        status: cx.all("status"),
        user_id: cx.one("user_id"),
        q: cx.one("q"),
    });
    let found = cx.app.peers.song_requests().list(request).await?.into_inner();
    page(&cx, &wanted, found.page, found.requests.into_iter().map(SongRequestView::from).collect())
}

pub(crate) async fn review(cx: Cx) -> Answered {
    let mut peer = cx.app.peers.song_requests();
    let see = cx.ask(pb::GetSongRequestRequest { id: cx.path("id") });
    let body: Review = cx.json_of_object(peer.get(see)).await?;
    let request = cx.ask(pb::ReviewSongRequestRequest {
        id: cx.path("id"),
        action: body.action,
        rejection_reason: body.rejection_reason.unwrap_or_default(),
    });
    let done = peer.review(request).await?.into_inner();
    Reply::data(200, "Song request reviewed.", &SongRequestView::from(done))
}

pub(crate) async fn fulfill(cx: Cx) -> Answered {
    let mut peer = cx.app.peers.song_requests();
    let see = cx.ask(pb::GetSongRequestRequest { id: cx.path("id") });
    let body: Fulfilment = cx.json_of_object(peer.get(see)).await?;
    let by = match (body.song_id, body.song) {
        (Some(id), None) => pb::fulfill_song_request_request::By::SongId(id),
        (None, Some(song)) => pb::fulfill_song_request_request::By::Song(song.message()),
        _ => {
            peer.get(cx.ask(pb::GetSongRequestRequest { id: cx.path("id") })).await?;
            return Err(Error::invalid("non_field_errors", "Send either song_id or song.").into());
        }
    };
    let done = peer.fulfill(cx.ask(pb::FulfillSongRequestRequest { id: cx.path("id"), by: Some(by) })).await?;
    let view = SongRequestView::from(done.get_ref().clone());
    Ok(Reply::data(200, "Song request fulfilled.", &view)?.replayed_by(&done))
}
