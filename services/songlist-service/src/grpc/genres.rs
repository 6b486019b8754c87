use kit::grpc::{answer, open};
use proto::common::PageInfo;
use proto::songlist::genres_server::{Genres, GenresServer};
use proto::songlist::{
    CreateGenreRequest, DeleteGenreRequest, DeleteGenreResponse, Genre, GetGenreRequest, ListGenresRequest,
    ListGenresResponse, UpdateGenreRequest,
};
use proto::time::to_proto;
use proto::tonic::{Request, Response, Status};
use rpc::page;

use crate::App;
use crate::domain::genres::{self, Change};
use crate::store::genres::Genre as Row;

struct Grpc(App);

pub(super) fn service(app: &App) -> GenresServer<impl Genres> {
    GenresServer::new(Grpc(app.clone()))
}

fn message((row, song_count): (Row, i64)) -> Genre {
    Genre {
        id: row.id.to_string(),
        name: row.name,
        description: row.description,
        song_count,
        created_at: to_proto(row.created_at),
        updated_at: to_proto(row.updated_at),
    }
}

#[tonic::async_trait]
impl Genres for Grpc {
    async fn create(&self, request: Request<CreateGenreRequest>) -> Result<Response<Genre>, Status> {
        let (caller, asked) = open(request)?;
        let made = genres::create(&self.0, &caller, &asked.name, &asked.description).await?;
        Ok(answer(message((made.value, 0)), made.replayed))
    }

    async fn get(&self, request: Request<GetGenreRequest>) -> Result<Response<Genre>, Status> {
        let (caller, asked) = open(request)?;
        Ok(Response::new(message(genres::get(&self.0, &caller, &asked.id).await?)))
    }

    async fn update(&self, request: Request<UpdateGenreRequest>) -> Result<Response<Genre>, Status> {
        let (caller, asked) = open(request)?;
        let change = Change { name: asked.name, description: asked.description, read_only: asked.read_only };
        Ok(Response::new(message(genres::update(&self.0, &caller, &asked.id, &change).await?)))
    }

    async fn delete(&self, request: Request<DeleteGenreRequest>) -> Result<Response<DeleteGenreResponse>, Status> {
        let (caller, asked) = open(request)?;
        genres::delete(&self.0, &caller, &asked.id).await?;
        Ok(Response::new(DeleteGenreResponse {}))
    }

    async fn list(&self, request: Request<ListGenresRequest>) -> Result<Response<ListGenresResponse>, Status> {
        let (caller, asked) = open(request)?;
        let found = genres::list(&self.0, &caller, asked.name, &page(asked.page)).await?;
        Ok(Response::new(ListGenresResponse {
            genres: found.rows.into_iter().map(message).collect(),
            page: Some(PageInfo::new(found.count, found.next_cursor)),
        }))
    }
}
