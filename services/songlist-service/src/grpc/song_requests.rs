use kit::Error;
use kit::grpc::{answer, open};
use proto::common::PageInfo;
use proto::songlist::fulfill_song_request_request::By as AskedBy;
use proto::songlist::song_requests_server::{SongRequests, SongRequestsServer};
use proto::songlist::{
    CreateSongRequestRequest, DeleteSongRequestRequest, DeleteSongRequestResponse, FulfillSongRequestRequest,
    GetSongRequestRequest, ListSongRequestsRequest, ListSongRequestsResponse, RequestStatus, ReviewSongRequestRequest,
    SongRequest, UpdateSongRequestRequest,
};
use proto::time::{opt_to_proto, to_proto};
use proto::tonic::{Request, Response, Status};
use rpc::page;

use super::songs::input;
use crate::App;
use crate::domain::song_request_reviews::{self, By};
use crate::domain::song_request_states::Status as State;
use crate::domain::song_requests::{self, Change, Input, Shown, Wanted};

struct Grpc(App);

pub(super) fn service(app: &App) -> SongRequestsServer<impl SongRequests> {
    SongRequestsServer::new(Grpc(app.clone()))
}

fn message(shown: Shown) -> SongRequest {
    let row = shown.request;
    let status = match State::of_name(&row.status) {
        Some(State::Pending) => RequestStatus::Pending,
        Some(State::Approved) => RequestStatus::Approved,
        Some(State::Rejected) => RequestStatus::Rejected,
        Some(State::Fulfilled) => RequestStatus::Fulfilled,
        None => RequestStatus::Unspecified,
    };
    let (name, email) = shown.requester.map(|person| (person.name, person.email)).unzip();
    SongRequest {
        id: row.id.to_string(),
        song_title: row.song_title,
        artist_name: row.artist_name,
        album_name: row.album_name,
        additional_notes: row.additional_notes,
        status: status.into(),
        requester_id: row.user_id.to_string(),
        requester_name: name,
        requester_email: email.filter(|_| shown.to_admin),
        reviewed_by: row.reviewed_by.map(|id| id.to_string()),
        reviewed_at: opt_to_proto(row.reviewed_at),
        rejection_reason: row.rejection_reason,
        fulfilled_song: row.fulfilled_song.map(|id| id.to_string()),
        fulfilled_at: opt_to_proto(row.fulfilled_at),
        created_at: to_proto(row.created_at),
        updated_at: to_proto(row.updated_at),
    }
}

#[tonic::async_trait]
impl SongRequests for Grpc {
    async fn create(&self, request: Request<CreateSongRequestRequest>) -> Result<Response<SongRequest>, Status> {
        let (caller, asked) = open(request)?;
        let input = Input {
            song_title: asked.song_title,
            artist_name: asked.artist_name,
            album_name: asked.album_name,
            additional_notes: asked.additional_notes,
            user: asked.user_id,
        };
        let made = song_requests::create(&self.0, &caller, &input).await?;
        Ok(answer(message(made.value), made.replayed))
    }

    async fn get(&self, request: Request<GetSongRequestRequest>) -> Result<Response<SongRequest>, Status> {
        let (caller, asked) = open(request)?;
        Ok(Response::new(message(song_requests::get(&self.0, &caller, &asked.id).await?)))
    }

    async fn list(
        &self,
        request: Request<ListSongRequestsRequest>,
    ) -> Result<Response<ListSongRequestsResponse>, Status> {
        let (caller, asked) = open(request)?;
        let wanted = Wanted { statuses: asked.status, user: asked.user_id, q: asked.q };
        let found = song_requests::list(&self.0, &caller, wanted, &page(asked.page)).await?;
        Ok(Response::new(ListSongRequestsResponse {
            requests: found.rows.into_iter().map(message).collect(),
            page: Some(PageInfo::new(found.count, found.next_cursor)),
        }))
    }

    async fn update(&self, request: Request<UpdateSongRequestRequest>) -> Result<Response<SongRequest>, Status> {
        let (caller, asked) = open(request)?;
        let change = Change {
            song_title: asked.song_title,
            artist_name: asked.artist_name,
            album_name: asked.album_name,
            additional_notes: asked.additional_notes,
            read_only: asked.read_only,
        };
        Ok(Response::new(message(song_requests::update(&self.0, &caller, &asked.id, &change).await?)))
    }

    async fn delete(
        &self,
        request: Request<DeleteSongRequestRequest>,
    ) -> Result<Response<DeleteSongRequestResponse>, Status> {
        let (caller, asked) = open(request)?;
        song_requests::delete(&self.0, &caller, &asked.id).await?;
        Ok(Response::new(DeleteSongRequestResponse {}))
    }

    async fn review(&self, request: Request<ReviewSongRequestRequest>) -> Result<Response<SongRequest>, Status> {
        let (caller, asked) = open(request)?;
        let done =
            song_request_reviews::review(&self.0, &caller, &asked.id, &asked.action, &asked.rejection_reason).await?;
        Ok(Response::new(message(done)))
    }

    async fn fulfill(&self, request: Request<FulfillSongRequestRequest>) -> Result<Response<SongRequest>, Status> {
        let (caller, asked) = open(request)?;
        let by = match asked.by {
            Some(AskedBy::SongId(id)) => By::Song(id),
            Some(AskedBy::Song(song)) => By::New(input(Some(song))),
            None => return Err(Error::invalid("non_field_errors", "Send either song_id or song.").into()),
        };
        let done = song_request_reviews::fulfill(&self.0, &caller, &asked.id, &by).await?;
        Ok(answer(message(done.value), done.replayed))
    }
}
