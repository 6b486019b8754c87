use std::collections::HashMap;

use actix_multipart::Multipart;
use actix_web::dev::Payload;
use actix_web::web::Bytes;
use futures_util::StreamExt;
use kit::Error;
use proto::songlist::import_songs_request::Part;
use proto::songlist::{ImportEnd, ImportFormat, ImportOptions, ImportSongsRequest, ImportSongsResponse};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::ToSchema;

use crate::http::body::PATIENCE;
use crate::http::context::{HandlerResult, RequestContext};
use crate::http::error::HttpError;
use crate::http::reply::Reply;

/// The most pieces in memory that the service has not read yet, whatever the size of the file.
const IN_FLIGHT: usize = 8;

/// The results of the rows: created + linked + skipped_duplicates + failed = total.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportView {
    total: u64,
    created: u64,
    linked: u64,
    skipped_duplicates: u64,
    failed: u64,
    /// The first 100 errors.
    errors: Vec<ImportErrorView>,
    errors_truncated: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ImportErrorView {
    /// The number of the row, from 1; the header does not count.
    row: u64,
    field: String,
    message: String,
}

impl From<ImportSongsResponse> for ImportView {
    fn from(done: ImportSongsResponse) -> Self {
        let error = |error: proto::songlist::ImportError| ImportErrorView {
            row: error.row,
            field: error.field,
            message: error.message,
        };
        Self {
            total: done.total,
            created: done.created,
            linked: done.linked,
            skipped_duplicates: done.skipped_duplicates,
            failed: done.failed,
            errors: done.errors.into_iter().map(error).collect(),
            errors_truncated: done.errors_truncated,
        }
    }
}

pub(crate) async fn import(context: RequestContext) -> HandlerResult {
    let options = options(&context)?;
    let (pieces, stream) = mpsc::channel(IN_FLIGHT);
    let request = context.grpc_request(ReceiverStream::new(stream));
    let mut songs = context.app.peers.songs();
    let mut import = std::pin::pin!(songs.import(request));
    let done = tokio::select! {
        // The service may end before the upload does, for example because a row is too large.
        done = &mut import => done,
        sent = send(&context, options, pieces) => {
            // When the upload was cut off or too large, this error is the cause of the service's error, so it is the one
            // to return.
            sent?;
            import.await
        }
    };
    let done = done?.into_inner();
    Reply::data(200, "Import finished.", &ImportView::from(done))
}

fn options(context: &RequestContext) -> Result<ImportOptions, HttpError> {
    let content_type = context.header("content-type").unwrap_or_default();
    const NO_TEXT: [&str; 4] = ["application/pdf", "application/zip", "image/", "application/vnd.openxmlformats"];
    if NO_TEXT.iter().any(|kind| content_type.starts_with(kind)) {
        return Err(HttpError::not_json());
    }
    let asked = context.query_value("format");
    let ndjson = content_type.contains("ndjson") || content_type.contains("jsonl");
    let format = match asked.as_deref() {
        Some("csv") => ImportFormat::Csv,
        Some("ndjson") => ImportFormat::Ndjson,
        Some(_) => return Err(Error::invalid("format", "Say csv or ndjson.").into()),
        None if ndjson => ImportFormat::Ndjson,
        None => ImportFormat::Csv,
    };
    let mut columns = HashMap::new();
    for pair in context.query_value("columns").unwrap_or_default().split(',').filter(|pair| !pair.trim().is_empty()) {
        let (field, column) = pair
            .split_once(':')
            .ok_or_else(|| Error::invalid("columns", "Write field:column pairs, comma-separated."))?;
        columns.insert(field.trim().to_owned(), column.trim().to_owned());
    }
    Ok(ImportOptions {
        format: format.into(),
        columns,
        genre: context.query_value("genre"),
        dry_run: context.query_flag("dry_run")?.unwrap_or(false),
    })
}

type Pieces = mpsc::Sender<ImportSongsRequest>;

async fn send(context: &RequestContext, options: ImportOptions, pieces: Pieces) -> Result<(), HttpError> {
    if pieces.send(ImportSongsRequest { part: Some(Part::Options(options)) }).await.is_err() {
        return Ok(());
    }
    let payload = context.payload.replace(Payload::None);
    let is_form = context.header("content-type").is_some_and(|kind| kind.starts_with("multipart/form-data"));
    if is_form {
        send_form(context, payload, &pieces).await?;
    } else {
        send_raw(context, payload, &pieces).await?;
    }
    // When the service has stopped reading, its answer contains the reason.
    let _ = pieces.send(ImportSongsRequest { part: Some(Part::End(ImportEnd {})) }).await;
    Ok(())
}

async fn send_raw(context: &RequestContext, mut payload: Payload, pieces: &Pieces) -> Result<(), HttpError> {
    let mut left = context.max_body;
    while let Some(piece) = in_time(payload.next()).await? {
        let piece = piece.map_err(|_cut| cut())?;
        if !forward(pieces, piece, &mut left).await? {
            return Ok(());
        }
    }
    Ok(())
}

async fn send_form(context: &RequestContext, payload: Payload, pieces: &Pieces) -> Result<(), HttpError> {
    let mut left = context.max_body;
    let mut form = Multipart::new(context.headers(), payload);
    while let Some(field) = in_time(form.next()).await? {
        let mut field = field.map_err(|_cut| cut())?;
        if field.name() != Some("file") {
            while let Some(piece) = in_time(field.next()).await? {
                left = left.checked_sub(piece.map_err(|_cut| cut())?.len()).ok_or_else(HttpError::too_large)?;
            }
            continue;
        }
        while let Some(piece) = in_time(field.next()).await? {
            let piece = piece.map_err(|_cut| cut())?;
            if !forward(pieces, piece, &mut left).await? {
                return Ok(());
            }
        }
        return Ok(());
    }
    Err(Error::invalid("file", "This field is required.").into())
}

/// Sends a piece to the service; false when the service has stopped reading.
async fn forward(pieces: &Pieces, piece: Bytes, left: &mut usize) -> Result<bool, HttpError> {
    *left = left.checked_sub(piece.len()).ok_or_else(HttpError::too_large)?;
    Ok(pieces.send(ImportSongsRequest { part: Some(Part::Piece(piece.to_vec())) }).await.is_ok())
}

/// Waits for the next piece of an upload, but not for ever.
async fn in_time<T>(piece: impl Future<Output = T>) -> Result<T, HttpError> {
    tokio::time::timeout(PATIENCE, piece).await.map_err(|_late| HttpError::too_slow())
}

fn cut() -> HttpError {
    Error::invalid("non_field_errors", "The upload was cut off.").into()
}
