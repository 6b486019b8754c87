use std::sync::Arc;

use kit::grpc::{answer, open};
use proto::common::PageInfo;
use proto::songlist::tenant_songs_server::{TenantSongs, TenantSongsServer};
use proto::songlist::{
    GetTenantSongRequest, LinkManySongsRequest, LinkManySongsResponse, LinkSongRequest, ListTenantSongsRequest,
    ListTenantSongsResponse, SetManySongsActiveRequest, SetManySongsActiveResponse, SetTenantSongActiveRequest,
    SuggestSongsRequest, SuggestSongsResponse, Suggestion, SuggestionKind, TenantSong, UnlinkManySongsRequest,
    UnlinkManySongsResponse, UnlinkSongRequest, UnlinkSongResponse,
};
use proto::time::to_proto;
use proto::tonic::{Request, Response, Status};
use rpc::page;

use super::small;
use super::songs::{filters, visibility};
use crate::App;
use crate::domain::bulk_links::{self, Added, Wanted};
use crate::domain::genre_names::Names;
use crate::domain::suggestions::{self, Suggestion as Suggested};
use crate::domain::tenant_songs;
use crate::store::tenant_songs::TenantSong as Row;

struct Grpc(App);

pub(super) fn service(app: &App) -> TenantSongsServer<impl TenantSongs> {
    TenantSongsServer::new(Grpc(app.clone()))
}

fn message(app: &App, row: Row, names: &Names) -> TenantSong {
    TenantSong {
        visibility: visibility(row.is_global),
        id: row.id.to_string(),
        song_id: row.song_id.to_string(),
        title: row.title,
        artist: row.artist,
        album: row.album,
        genre_name: names.of(row.genre_id),
        genre_id: row.genre_id.to_string(),
        duration: small(row.duration),
        release_year: small(Some(row.release_year).filter(|year| *year != 0)),
        artwork: row.artwork.map(|name| app.media.url(&name)),
        is_active: row.is_active,
        created_at: to_proto(row.created_at),
        updated_at: to_proto(row.updated_at),
    }
}

fn suggestion(found: Suggested) -> Suggestion {
    match found {
        Suggested::Title { text, artist } => {
            Suggestion { kind: SuggestionKind::Title.into(), text, artist: Some(artist) }
        }
        Suggested::Artist(text) => Suggestion { kind: SuggestionKind::Artist.into(), text, artist: None },
    }
}

impl Grpc {
    /// Read before a write: afterwards it could fail although the write was committed.
    async fn names(&self) -> Result<Arc<Names>, Status> {
        Ok(self.0.genre_names.current(&self.0.pg).await?)
    }

    async fn one(&self, row: Row, names: Arc<Names>) -> TenantSong {
        let known = self.0.genre_names.knowing(&self.0.pg, names.clone(), std::iter::once(row.genre_id)).await;
        message(&self.0, row, &known.unwrap_or(names))
    }
}

#[tonic::async_trait]
impl TenantSongs for Grpc {
    async fn link(&self, request: Request<LinkSongRequest>) -> Result<Response<TenantSong>, Status> {
        let (caller, asked) = open(request)?;
        let names = self.names().await?;
        let made = tenant_songs::link(&self.0, &caller, &asked.song_id, asked.is_active.unwrap_or(true)).await?;
        Ok(answer(self.one(made.value, names).await, made.replayed))
    }

    async fn get(&self, request: Request<GetTenantSongRequest>) -> Result<Response<TenantSong>, Status> {
        let (caller, asked) = open(request)?;
        let (names, row) = (self.names().await?, tenant_songs::get(&self.0, &caller, &asked.id).await?);
        Ok(Response::new(self.one(row, names).await))
    }

    async fn list(
        &self,
        request: Request<ListTenantSongsRequest>,
    ) -> Result<Response<ListTenantSongsResponse>, Status> {
        let (caller, asked) = open(request)?;
        let found = tenant_songs::list(&self.0, &caller, filters(asked.filters), &page(asked.page)).await?;
        let ids = found.rows.iter().map(|row| row.genre_id);
        let names = self.0.genre_names.knowing(&self.0.pg, self.names().await?, ids).await?;
        Ok(Response::new(ListTenantSongsResponse {
            songs: found.rows.into_iter().map(|row| message(&self.0, row, &names)).collect(),
            page: Some(PageInfo::new(found.count, found.next_cursor)),
        }))
    }

    async fn set_active(&self, request: Request<SetTenantSongActiveRequest>) -> Result<Response<TenantSong>, Status> {
        let (caller, asked) = open(request)?;
        let names = self.names().await?;
        let row = tenant_songs::set_active(&self.0, &caller, &asked.id, asked.is_active).await?;
        Ok(Response::new(self.one(row, names).await))
    }

    async fn unlink(&self, request: Request<UnlinkSongRequest>) -> Result<Response<UnlinkSongResponse>, Status> {
        let (caller, asked) = open(request)?;
        bulk_links::unlink_one(&self.0, &caller, &asked.id).await?;
        Ok(Response::new(UnlinkSongResponse {}))
    }

    async fn link_many(
        &self,
        request: Request<LinkManySongsRequest>,
    ) -> Result<Response<LinkManySongsResponse>, Status> {
        let (caller, asked) = open(request)?;
        let wanted = Wanted {
            songs: asked.song_ids,
            genres: asked.genre_ids,
            artists: asked.artists,
            is_active: asked.is_active.unwrap_or(true),
        };
        let done = bulk_links::link(&self.0, &caller, &wanted).await?;
        let Added { added, already_linked, not_found } = done.value;
        Ok(answer(LinkManySongsResponse { added, already_linked, not_found }, done.replayed))
    }

    async fn unlink_many(
        &self,
        request: Request<UnlinkManySongsRequest>,
    ) -> Result<Response<UnlinkManySongsResponse>, Status> {
        let (caller, asked) = open(request)?;
        let (deleted, not_found) = bulk_links::unlink(&self.0, &caller, &asked.ids).await?;
        Ok(Response::new(UnlinkManySongsResponse { deleted, not_found }))
    }

    async fn set_active_many(
        &self,
        request: Request<SetManySongsActiveRequest>,
    ) -> Result<Response<SetManySongsActiveResponse>, Status> {
        let (caller, asked) = open(request)?;
        let (updated, unchanged, not_found) =
            bulk_links::set_active(&self.0, &caller, &asked.ids, asked.is_active).await?;
        Ok(Response::new(SetManySongsActiveResponse { updated, unchanged, not_found }))
    }

    async fn suggest(&self, request: Request<SuggestSongsRequest>) -> Result<Response<SuggestSongsResponse>, Status> {
        let (caller, asked) = open(request)?;
        let found = suggestions::suggest(&self.0, &caller, &asked.q).await?;
        Ok(Response::new(SuggestSongsResponse { suggestions: found.into_iter().map(suggestion).collect() }))
    }
}
