use std::io;

use futures_util::{Stream, StreamExt};
use kit::Error;
use kit::grpc::{answer, open};
use proto::common::PageInfo;
use proto::songlist::import_songs_request::Part;
use proto::songlist::songs_server::{Songs, SongsServer};
use proto::songlist::{
    CreateSongRequest, DeleteSongRequest, DeleteSongResponse, GetSongRequest, ImportError, ImportFormat, ImportOptions,
    ImportSongsRequest, ImportSongsResponse, ListSongsRequest, ListSongsResponse, NewSong, RemoveSongArtworkRequest,
    RemoveSongArtworkResponse, SetSongArtworkRequest, Song, SongFilters, UpdateSongRequest, Visibility,
};
use proto::time::to_proto;
use proto::tonic::{Request, Response, Status, Streaming};
use rpc::page;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::io::StreamReader;

use super::small;
use crate::App;
use crate::domain::artwork;
use crate::domain::filters::RawFilters;
use crate::domain::imports::{self, Format, Options, Report};
use crate::domain::song_changes::{self, Change};
use crate::domain::songs::{self, Input};
use crate::store::songs::Song as Row;

/// Pieces of a file that are received before they are read.
const PIECES_AHEAD: usize = 2;

struct Grpc(App);

pub(super) fn service(app: &App) -> SongsServer<impl Songs> {
    SongsServer::new(Grpc(app.clone()))
}

pub(super) fn visibility(is_global: bool) -> i32 {
    if is_global { Visibility::Global.into() } else { Visibility::Tenant.into() }
}

fn message(app: &App, (row, genre): (Row, String)) -> Song {
    Song {
        visibility: visibility(row.tenant_id.is_none()),
        id: row.id.to_string(),
        title: row.title,
        artist: row.artist,
        album: row.album,
        genre_id: row.genre_id.to_string(),
        genre_name: genre,
        duration: small(row.duration),
        release_year: small(row.release_year),
        artwork: row.artwork.map(|name| app.media.url(&name)),
        tenant_id: row.tenant_id.map(|id| id.to_string()),
        user_id: row.user_id.map(|id| id.to_string()),
        created_at: to_proto(row.created_at),
        updated_at: to_proto(row.updated_at),
        version: row.version,
    }
}

pub(super) fn input(song: Option<NewSong>) -> Input {
    let song = song.unwrap_or_default();
    Input {
        title: song.title,
        artist: song.artist,
        album: song.album,
        genre: song.genre,
        duration: song.duration,
        release_year: song.release_year,
    }
}

pub(super) fn filters(filters: Option<SongFilters>) -> RawFilters {
    let filters = filters.unwrap_or_default();
    RawFilters {
        title: filters.title,
        artist: filters.artist,
        album: filters.album,
        genre: filters.genre,
        visibility: filters.visibility,
        q: filters.q,
        is_active: filters.is_active,
        ordering: filters.ordering,
    }
}

fn options(options: ImportOptions) -> Result<Options, Error> {
    let format = match options.format() {
        ImportFormat::Csv => Format::Csv,
        ImportFormat::Ndjson => Format::Ndjson,
        ImportFormat::Unspecified => return Err(Error::invalid("format", "Say csv or ndjson.")),
    };
    Ok(Options { format, columns: options.columns, genre: options.genre, dry_run: options.dry_run })
}

fn report(done: Report) -> ImportSongsResponse {
    let error = |error: imports::RowError| ImportError { row: error.row, field: error.field, message: error.message };
    ImportSongsResponse {
        total: done.total,
        created: done.created,
        linked: done.linked,
        skipped_duplicates: done.skipped_duplicates,
        failed: done.failed,
        errors: done.errors.into_iter().map(error).collect(),
        errors_truncated: done.errors_truncated,
    }
}

/// The bytes of the file. A stream that ends without the part `end` is an error, so that an incomplete last row is not
/// imported.
fn pieces(parts: Streaming<ImportSongsRequest>) -> impl Stream<Item = io::Result<io::Cursor<Vec<u8>>>> + Send {
    futures_util::stream::unfold(Some(parts), |parts| async move {
        let mut parts = parts?;
        match parts.message().await {
            Ok(Some(ImportSongsRequest { part: Some(Part::Piece(piece)) })) => {
                Some((Ok(io::Cursor::new(piece)), Some(parts)))
            }
            Ok(Some(ImportSongsRequest { part: Some(Part::End(_)) })) => None,
            Ok(_) => Some((Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the upload was cut off")), None)),
            Err(status) => Some((Err(io::Error::other(status)), None)),
        }
    })
}

/// The same pieces for another thread. The connection of the caller is read on the thread of requests only: it is behind a lock, for
/// which that thread would wait while one of low priority has it.
fn relayed<T: Send + 'static>(pieces: impl Stream<Item = T> + Send + 'static) -> impl Stream<Item = T> + Send {
    let (sender, receiver) = tokio::sync::mpsc::channel(PIECES_AHEAD);
    tokio::spawn(async move {
        let mut pieces = std::pin::pin!(pieces);
        loop {
            let piece = tokio::select! {
                piece = pieces.next() => piece,
                () = sender.closed() => return,
            };
            let Some(piece) = piece else { return };
            if sender.send(piece).await.is_err() {
                return;
            }
        }
    });
    ReceiverStream::new(receiver)
}

#[tonic::async_trait]
impl Songs for Grpc {
    async fn create(&self, request: Request<CreateSongRequest>) -> Result<Response<Song>, Status> {
        let (caller, asked) = open(request)?;
        let made = songs::create(&self.0, &caller, &input(asked.song)).await?;
        Ok(answer(message(&self.0, made.value), made.replayed))
    }

    async fn get(&self, request: Request<GetSongRequest>) -> Result<Response<Song>, Status> {
        let (caller, asked) = open(request)?;
        Ok(Response::new(message(&self.0, songs::get(&self.0, &caller, &asked.id).await?)))
    }

    async fn update(&self, request: Request<UpdateSongRequest>) -> Result<Response<Song>, Status> {
        let (caller, asked) = open(request)?;
        let change = Change {
            title: asked.title,
            artist: asked.artist,
            album: asked.album,
            genre: asked.genre,
            duration: asked.duration,
            release_year: asked.release_year,
            clear: asked.clear,
            read_only: asked.read_only,
            if_version: asked.if_version,
        };
        Ok(Response::new(message(&self.0, song_changes::update(&self.0, &caller, &asked.id, &change).await?)))
    }

    async fn delete(&self, request: Request<DeleteSongRequest>) -> Result<Response<DeleteSongResponse>, Status> {
        let (caller, asked) = open(request)?;
        song_changes::delete(&self.0, &caller, &asked.id, asked.if_version).await?;
        Ok(Response::new(DeleteSongResponse {}))
    }

    async fn set_artwork(&self, request: Request<SetSongArtworkRequest>) -> Result<Response<Song>, Status> {
        let (caller, asked) = open(request)?;
        let changed = artwork::set(&self.0, &caller, &asked.id, asked.image, asked.if_version).await?;
        Ok(Response::new(message(&self.0, changed)))
    }

    async fn remove_artwork(
        &self,
        request: Request<RemoveSongArtworkRequest>,
    ) -> Result<Response<RemoveSongArtworkResponse>, Status> {
        let (caller, asked) = open(request)?;
        artwork::remove(&self.0, &caller, &asked.id, asked.if_version).await?;
        Ok(Response::new(RemoveSongArtworkResponse {}))
    }

    async fn list(&self, request: Request<ListSongsRequest>) -> Result<Response<ListSongsResponse>, Status> {
        let (caller, asked) = open(request)?;
        let found = songs::list(&self.0, &caller, filters(asked.filters), &page(asked.page)).await?;
        Ok(Response::new(ListSongsResponse {
            songs: found.rows.into_iter().map(|row| message(&self.0, row)).collect(),
            page: Some(PageInfo::new(found.count, found.next_cursor)),
        }))
    }

    async fn import(
        &self,
        request: Request<Streaming<ImportSongsRequest>>,
    ) -> Result<Response<ImportSongsResponse>, Status> {
        let (caller, mut parts) = open(request)?;
        let first = parts.message().await?.and_then(|message| message.part);
        let Some(Part::Options(asked)) = first else {
            return Err(Error::invalid("non_field_errors", "An import begins with its options.").into());
        };
        let pieces = StreamReader::new(relayed(pieces(parts)).boxed());
        let done = Box::pin(imports::run(&self.0, &caller, options(asked)?, pieces)).await?;
        Ok(Response::new(report(done)))
    }
}
