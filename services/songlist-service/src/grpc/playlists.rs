use kit::grpc::{answer, open};
use proto::common::PageInfo;
use proto::songlist::playlists_server::{Playlists, PlaylistsServer};
use proto::songlist::{
    AddPlaylistEntriesRequest, AddPlaylistEntriesResponse, CreatePlaylistRequest, DeletePlaylistRequest,
    DeletePlaylistResponse, GetPlaylistRequest, ListPlaylistEntriesRequest, ListPlaylistEntriesResponse,
    ListPlaylistsRequest, ListPlaylistsResponse, MovePlaylistEntriesRequest, Playlist, PlaylistEntry,
    RemovePlaylistEntriesRequest, RemovePlaylistEntriesResponse, RemovePlaylistEntryRequest,
    RemovePlaylistEntryResponse, UpdatePlaylistRequest,
};
use proto::time::to_proto;
use proto::tonic::{Request, Response, Status};
use rpc::page;

use super::small;
use crate::App;
use crate::domain::genre_names::Names;
use crate::domain::playlist_entries::{self, Move};
use crate::domain::playlists::{self, Change};
use crate::store::playlist_entries::EntrySong;
use crate::store::playlists::Playlist as Row;

struct Grpc(App);

pub(super) fn service(app: &App) -> PlaylistsServer<impl Playlists> {
    PlaylistsServer::new(Grpc(app.clone()))
}

fn message(row: Row) -> Playlist {
    Playlist {
        id: row.id.to_string(),
        name: row.name,
        description: row.description,
        user_id: row.user_id.to_string(),
        song_count: row.song_count,
        total_duration: row.total_duration,
        version: row.version,
        created_at: to_proto(row.created_at),
        updated_at: to_proto(row.updated_at),
    }
}

fn entry(row: EntrySong, names: &Names) -> PlaylistEntry {
    PlaylistEntry {
        available: row.available,
        tenant_song_id: row.tenant_song_id.to_string(),
        position: row.position,
        song_id: row.song_id.to_string(),
        title: row.title,
        artist: row.artist,
        album: row.album,
        genre_name: names.of(row.genre_id),
        duration: small(row.duration),
        release_year: small(Some(row.release_year).filter(|year| *year != 0)),
        added_at: to_proto(row.added_at),
    }
}

#[tonic::async_trait]
impl Playlists for Grpc {
    async fn create(&self, request: Request<CreatePlaylistRequest>) -> Result<Response<Playlist>, Status> {
        let (caller, asked) = open(request)?;
        let owner = asked.user_id.as_deref();
        let made = playlists::create(&self.0, &caller, &asked.name, &asked.description, owner).await?;
        Ok(answer(message(made.value), made.replayed))
    }

    async fn get(&self, request: Request<GetPlaylistRequest>) -> Result<Response<Playlist>, Status> {
        let (caller, asked) = open(request)?;
        Ok(Response::new(message(playlists::get(&self.0, &caller, &asked.id).await?)))
    }

    async fn list(&self, request: Request<ListPlaylistsRequest>) -> Result<Response<ListPlaylistsResponse>, Status> {
        let (caller, asked) = open(request)?;
        let found = playlists::list(&self.0, &caller, asked.user_id.as_deref(), &page(asked.page)).await?;
        Ok(Response::new(ListPlaylistsResponse {
            playlists: found.rows.into_iter().map(message).collect(),
            page: Some(PageInfo::new(found.count, found.next_cursor)),
        }))
    }

    async fn list_entries(
        &self,
        request: Request<ListPlaylistEntriesRequest>,
    ) -> Result<Response<ListPlaylistEntriesResponse>, Status> {
        let (caller, asked) = open(request)?;
        let names = self.0.genre_names.current(&self.0.pg).await?;
        let found = playlist_entries::entries(&self.0, &caller, &asked.playlist_id, &page(asked.page)).await?;
        Ok(Response::new(ListPlaylistEntriesResponse {
            entries: found.rows.into_iter().map(|row| entry(row, &names)).collect(),
            page: Some(PageInfo::new(found.count, found.next_cursor)),
        }))
    }

    async fn add_entries(
        &self,
        request: Request<AddPlaylistEntriesRequest>,
    ) -> Result<Response<AddPlaylistEntriesResponse>, Status> {
        let (caller, asked) = open(request)?;
        let (songs, single) = (&asked.tenant_song_ids, asked.single);
        let done =
            playlist_entries::add_entries(&self.0, &caller, &asked.playlist_id, songs, single, asked.position).await?;
        let added = done.value;
        let response = AddPlaylistEntriesResponse {
            added: added.added,
            already_present: added.already_present,
            not_found: added.not_found,
            playlist: Some(message(added.playlist)),
        };
        Ok(answer(response, done.replayed))
    }

    async fn remove_entry(
        &self,
        request: Request<RemovePlaylistEntryRequest>,
    ) -> Result<Response<RemovePlaylistEntryResponse>, Status> {
        let (caller, asked) = open(request)?;
        playlist_entries::remove_entry(&self.0, &caller, &asked.playlist_id, &asked.tenant_song_id).await?;
        Ok(Response::new(RemovePlaylistEntryResponse {}))
    }

    async fn remove_entries(
        &self,
        request: Request<RemovePlaylistEntriesRequest>,
    ) -> Result<Response<RemovePlaylistEntriesResponse>, Status> {
        let (caller, asked) = open(request)?;
        let done =
            playlist_entries::remove_entries(&self.0, &caller, &asked.playlist_id, &asked.tenant_song_ids).await?;
        Ok(Response::new(RemovePlaylistEntriesResponse {
            deleted: done.deleted,
            not_found: done.not_found,
            playlist: Some(message(done.playlist)),
        }))
    }

    async fn move_entries(&self, request: Request<MovePlaylistEntriesRequest>) -> Result<Response<Playlist>, Status> {
        let (caller, asked) = open(request)?;
        let wanted = Move {
            range_start: asked.range_start,
            range_length: asked.range_length,
            insert_before: asked.insert_before,
        };
        let moved =
            playlist_entries::move_entries(&self.0, &caller, &asked.playlist_id, wanted, asked.if_version).await?;
        Ok(Response::new(message(moved)))
    }

    async fn update(&self, request: Request<UpdatePlaylistRequest>) -> Result<Response<Playlist>, Status> {
        let (caller, asked) = open(request)?;
        let change = Change {
            name: asked.name,
            description: asked.description,
            read_only: asked.read_only,
            if_version: asked.if_version,
        };
        Ok(Response::new(message(playlists::update(&self.0, &caller, &asked.id, &change).await?)))
    }

    async fn delete(
        &self,
        request: Request<DeletePlaylistRequest>,
    ) -> Result<Response<DeletePlaylistResponse>, Status> {
        let (caller, asked) = open(request)?;
        playlists::delete(&self.0, &caller, &asked.id, asked.if_version).await?;
        Ok(Response::new(DeletePlaylistResponse {}))
    }
}
