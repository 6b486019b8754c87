//! Song requests of listeners.

mod views;

use kit::Code;
use kit::Error;
use proto::songlist as pb;

use crate::http::context::{HandlerResult, RequestContext};
use crate::http::page::{PageQuery, page_reply};
use crate::http::param::Param;
use crate::http::reply::Reply;
use crate::http::rule::{ADMIN, Reach, Rule, TENANT};

use views::{Fulfilment, NewSongRequest, Review, SongRequestChange, SongRequestView};

/// Fields of a request that may not be set by changing it.
const READ_ONLY: &[&str] = &[
    "id",
    "status",
    "requester_id",
    "user_id",
    "reviewed_by",
    "reviewed_at",
    "rejection_reason",
    "fulfilled_song",
    "fulfilled_at",
    "created_at",
    "updated_at",
];

const FILTERS: &[Param] = &[
    Param::one_of("status", &["PENDING", "APPROVED", "REJECTED", "FULFILLED"], "The state.").many(),
    Param::id("user_id", "Who asked; for an ADMIN."),
    Param::search("Searches title and artist."),
];

#[rustfmt::skip] // a table: one rule in two or three lines
pub(crate) const RULES: &[Rule] = &[
    Rule::get("/song-requests/", &list).id("list_song_requests").roles(TENANT).reach(Reach::OwnOrTenant)
        .query(&[FILTERS]).by_cursor().list::<SongRequestView>()
        .summary("Song requests, the newest first"),
    Rule::post("/song-requests/", &create).id("create_song_request").locates()
        .roles(TENANT).reach(Reach::OwnOrTenant).repeatable()
        .body::<NewSongRequest>().created::<SongRequestView>().codes(&[Code::RequestExists, Code::ReadOnlyField, Code::NotFound])
        .summary("Ask for a song"),
    Rule::get("/song-requests/{id}/", &get).id("get_song_request").roles(TENANT).reach(Reach::OwnOrTenant)
        .data::<SongRequestView>().summary("A song request"),
    Rule::patch("/song-requests/{id}/", &update).id("update_song_request").roles(TENANT).reach(Reach::OwnOrTenant)
        .body::<SongRequestChange>().data::<SongRequestView>()
        .codes(&[Code::RequestExists, Code::ReadOnlyField, Code::IllegalTransition])
        .summary("Change what is asked for, while it is pending"),
    Rule::delete("/song-requests/{id}/", &delete).id("delete_song_request").roles(TENANT).reach(Reach::OwnOrTenant)
        .no_content().summary("Delete a song request"),
    Rule::post("/song-requests/{id}/review/", &review).id("review_song_request").roles(ADMIN).reach(Reach::Tenant)
        .body::<Review>().data::<SongRequestView>().codes(&[Code::IllegalTransition])
        .summary("Approve or reject a request"),
    Rule::post("/song-requests/{id}/fulfill/", &fulfill).id("fulfill_song_request")
        .roles(ADMIN).reach(Reach::Tenant).repeatable()
        .body::<Fulfilment>().data::<SongRequestView>().codes(&[Code::IllegalTransition, Code::SongExists, Code::PremiumRequired])
        .summary("Fulfil a request with a song"),
];

pub(crate) async fn create(context: RequestContext) -> HandlerResult {
    let body: NewSongRequest = context.json()?;
    let request = context.grpc_request(pb::CreateSongRequestRequest {
        song_title: body.song_title,
        artist_name: body.artist_name,
        album_name: body.album_name.unwrap_or_default(),
        additional_notes: body.additional_notes.unwrap_or_default(),
        user_id: body.user_id,
    });
    let made = context.app.peers.song_requests().create(request).await?;
    let view = SongRequestView::from(made.get_ref().clone());
    Ok(Reply::created(context.request.path(), "Song requested.", &view.id, &view)?.replayed_by(&made))
}

pub(crate) async fn get(context: RequestContext) -> HandlerResult {
    let asked = context.grpc_request(pb::GetSongRequestRequest { id: context.path("id") });
    let found = context.app.peers.song_requests().get(asked).await?.into_inner();
    Reply::data(200, "Song request.", &SongRequestView::from(found))
}

pub(crate) async fn list(context: RequestContext) -> HandlerResult {
    let query = PageQuery::of(&context)?;
    let request = context.grpc_request(pb::ListSongRequestsRequest {
        page: query.message(),
        status: context.query_values("status"),
        user_id: context.query_value("user_id"),
        q: context.query_value("q"),
    });
    let found = context.app.peers.song_requests().list(request).await?.into_inner();
    page_reply(&context, &query, found.page, found.requests.into_iter().map(SongRequestView::from).collect())
}

pub(crate) async fn update(context: RequestContext) -> HandlerResult {
    let mut peer = context.app.peers.song_requests();
    let see = context.grpc_request(pb::GetSongRequestRequest { id: context.path("id") });
    let body: SongRequestChange = context.json_of_object(async { peer.get(see).await }).await?;
    let request = context.grpc_request(pb::UpdateSongRequestRequest {
        id: context.path("id"),
        song_title: body.song_title,
        artist_name: body.artist_name,
        album_name: body.album_name.map(Option::unwrap_or_default),
        additional_notes: body.additional_notes.map(Option::unwrap_or_default),
        read_only: context.read_only(READ_ONLY),
    });
    let changed = peer.update(request).await?.into_inner();
    Reply::data(200, "Song request changed.", &SongRequestView::from(changed))
}

pub(crate) async fn delete(context: RequestContext) -> HandlerResult {
    let request = context.grpc_request(pb::DeleteSongRequestRequest { id: context.path("id") });
    context.app.peers.song_requests().delete(request).await?;
    Ok(Reply::no_content())
}

pub(crate) async fn review(context: RequestContext) -> HandlerResult {
    let mut peer = context.app.peers.song_requests();
    let see = context.grpc_request(pb::GetSongRequestRequest { id: context.path("id") });
    let body: Review = context.json_of_object(peer.get(see)).await?;
    let request = context.grpc_request(pb::ReviewSongRequestRequest {
        id: context.path("id"),
        action: body.action,
        rejection_reason: body.rejection_reason.unwrap_or_default(),
    });
    let done = peer.review(request).await?.into_inner();
    Reply::data(200, "Song request reviewed.", &SongRequestView::from(done))
}

pub(crate) async fn fulfill(context: RequestContext) -> HandlerResult {
    let mut peer = context.app.peers.song_requests();
    let see = context.grpc_request(pb::GetSongRequestRequest { id: context.path("id") });
    let body: Fulfilment = context.json_of_object(peer.get(see)).await?;
    let by = match (body.song_id, body.song) {
        (Some(id), None) => pb::fulfill_song_request_request::By::SongId(id),
        (None, Some(song)) => pb::fulfill_song_request_request::By::Song(song.message()),
        _ => {
            peer.get(context.grpc_request(pb::GetSongRequestRequest { id: context.path("id") })).await?;
            return Err(Error::invalid("non_field_errors", "Send either song_id or song.").into());
        }
    };
    let done = peer
        .fulfill(context.grpc_request(pb::FulfillSongRequestRequest { id: context.path("id"), by: Some(by) }))
        .await?;
    let view = SongRequestView::from(done.get_ref().clone());
    Ok(Reply::data(200, "Song request fulfilled.", &view)?.replayed_by(&done))
}
