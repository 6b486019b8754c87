use kit::grpc::{answer, open};
use proto::common::PageInfo;
use proto::songlist::tenant_songs_server::{TenantSongs, TenantSongsServer};
use proto::songlist::{
    GetTenantSongRequest, LinkSongRequest, ListTenantSongsRequest, ListTenantSongsResponse, SetTenantSongActiveRequest,
    TenantSong,
};
use proto::time::to_proto;
use proto::tonic::{Request, Response, Status};
use rpc::page;

use super::small;
use super::songs::{filters, visibility};
use crate::App;
use crate::domain::tenant_songs;
use crate::store::tenant_songs::TenantSong as Row;

struct Grpc(App);

pub(super) fn service(app: &App) -> TenantSongsServer<impl TenantSongs> {
    TenantSongsServer::new(Grpc(app.clone()))
}

fn message(row: Row) -> TenantSong {
    TenantSong {
        visibility: visibility(&row.song),
        id: row.link.id.to_string(),
        song_id: row.song.id.to_string(),
        title: row.song.title,
        artist: row.song.artist,
        album: row.song.album,
        genre_name: row.genre,
        genre_id: row.song.genre_id.to_string(),
        duration: small(row.song.duration),
        release_year: small(row.song.release_year),
        artwork: row.song.artwork,
        is_active: row.link.is_active,
        created_at: to_proto(row.link.created_at),
        updated_at: to_proto(row.link.updated_at),
    }
}

#[tonic::async_trait]
impl TenantSongs for Grpc {
    async fn link(&self, request: Request<LinkSongRequest>) -> Result<Response<TenantSong>, Status> {
        let (caller, asked) = open(request)?;
        let made = tenant_songs::link(&self.0, &caller, &asked.song_id, asked.is_active.unwrap_or(true)).await?;
        Ok(answer(message(made.value), made.replayed))
    }

    async fn get(&self, request: Request<GetTenantSongRequest>) -> Result<Response<TenantSong>, Status> {
        let (caller, asked) = open(request)?;
        Ok(Response::new(message(tenant_songs::get(&self.0, &caller, &asked.id).await?)))
    }

    async fn list(
        &self,
        request: Request<ListTenantSongsRequest>,
    ) -> Result<Response<ListTenantSongsResponse>, Status> {
        let (caller, asked) = open(request)?;
        let found = tenant_songs::list(&self.0, &caller, filters(asked.filters), &page(asked.page)).await?;
        Ok(Response::new(ListTenantSongsResponse {
            songs: found.rows.into_iter().map(message).collect(),
            page: Some(PageInfo::new(found.count, found.next_cursor)),
        }))
    }

    async fn set_active(&self, request: Request<SetTenantSongActiveRequest>) -> Result<Response<TenantSong>, Status> {
        let (caller, asked) = open(request)?;
        Ok(Response::new(message(tenant_songs::set_active(&self.0, &caller, &asked.id, asked.is_active).await?)))
    }
}
