//! The song catalogue and its import.

mod export;
mod import;
pub(crate) mod views;

use kit::Code;
use proto::songlist as pb;

use crate::http::context::{HandlerResult, RequestContext};
use crate::http::error::HttpError;
use crate::http::page::{PageQuery, page_reply};
use crate::http::param::Param;
use crate::http::rate::Rate;
use crate::http::reply::Reply;
use crate::http::rule::{ADMINS, Reach, Rule};

use export::{FORMAT, export};
use import::ImportView;
use import::import;
use views::{NewSong, SongChange, SongView};

/// The largest imported file in bytes.
const UPLOAD_BODY: usize = 64 * 1024 * 1024;

/// The largest image in bytes.
const IMAGE_BODY: usize = 2 * 1024 * 1024;
/// The types of images.
const IMAGES: &[&str] = &["image/jpeg", "image/png", "image/webp"];

/// The filters that song lists share.
pub(crate) const FILTERS: &[Param] = &[
    Param::text("title", "A part of the title, without case and accents.").many(),
    Param::text("artist", "A part of the artist.").many(),
    Param::text("album", "A part of the album.").many(),
    Param::text("genre", "A part of the genre's name, or its id.").many(),
    Param::one_of("visibility", &["GLOBAL", "TENANT"], "Songs of the platform, or of the tenant."),
    Param::search(
        "Searches title, artist and album; tolerates typos, best matches first, a thousand songs at most. One or two letters are \
         looked for at the beginning of words, in scripts without spaces also within them.",
    ),
];
const ORDERING: Param = Param::one_of(
    "ordering",
    &[
        "created_at",
        "-created_at",
        "title",
        "-title",
        "artist",
        "-artist",
        "release_year",
        "-release_year",
        "duration",
        "-duration",
    ],
    "The order; with a minus descending. -created_at unless said otherwise.",
);
const IMPORT: &[Param] = &[
    Param::one_of("format", &["csv", "ndjson"], "The format, when the content type does not say it."),
    Param::opaque("columns", "Which column is which field: title:Song,artist:Band."),
    Param::text("genre", "The genre of rows that name none."),
    Param::flag("dry_run", "Checks every row, tells what an import would do, and changes nothing."),
];

#[rustfmt::skip] // a table: one rule in two or three lines
pub(crate) const RULES: &[Rule] = &[
    Rule::get("/songs/", &list).id("list_songs").roles(ADMINS).reach(Reach::PlatformOrTenant)
        .query(&[FILTERS, &[ORDERING]]).by_cursor().list::<SongView>()
        .summary("The catalogue"),
    Rule::post("/songs/", &create).id("create_song").versioned().locates().roles(ADMINS).reach(Reach::PlatformOrTenant).repeatable()
        .body::<NewSong>().created::<SongView>()
        .codes(&[Code::SongExists, Code::PremiumRequired])
        .summary("Create a TENANT song (ADMIN) or a GLOBAL one (SUPER_ADMIN)"),
    Rule::post("/songs/import/", &import).id("import_songs").within_secs(300)
        .roles(ADMINS).reach(Reach::PlatformOrTenant).rate(Rate::Import)
        .upload(UPLOAD_BODY).query(&[IMPORT]).data::<ImportView>()
        .codes(&[Code::PremiumRequired, Code::QuotaExceeded])
        .summary("Import songs from CSV or NDJSON"),
    Rule::get("/songs/export/", &export).id("export_songs").roles(ADMINS).reach(Reach::PlatformOrTenant).rate(Rate::Export)
        .query(&[FILTERS, FORMAT]).other(&["text/csv", "application/x-ndjson"])
        .summary("The catalogue as a file that can be imported again, the newest first"),
    Rule::get("/songs/{id}/", &get).id("get_song").versioned().roles(ADMINS).reach(Reach::PlatformOrTenant)
        .data::<SongView>().summary("A song"),
    Rule::patch("/songs/{id}/", &update).id("update_song").versioned().roles(ADMINS).reach(Reach::PlatformOrTenant)
        .body::<SongChange>().data::<SongView>().codes(&[Code::SongExists, Code::ReadOnlyField, Code::PermissionDenied])
        .summary("Change a song; the lists with it follow"),
    Rule::delete("/songs/{id}/", &delete).id("delete_song").versioned().roles(ADMINS).reach(Reach::PlatformOrTenant)
        .no_content().codes(&[Code::PermissionDenied])
        .summary("Delete a song; it leaves every list at once"),
    Rule::put("/songs/{id}/artwork/", &set_artwork).id("set_song_artwork").within_secs(20).versioned().roles(ADMINS).reach(Reach::PlatformOrTenant)
        .file(IMAGE_BODY, IMAGES).data::<SongView>().codes(&[Code::PermissionDenied])
        .summary("Give a song an image, which is made at most 1,000 pixels wide and high"),
    Rule::delete("/songs/{id}/artwork/", &remove_artwork).id("remove_song_artwork").versioned().roles(ADMINS).reach(Reach::PlatformOrTenant)
        .no_content().codes(&[Code::PermissionDenied])
        .summary("Take the image of a song away"),
];

/// Fields of a song that may not be set.
const READ_ONLY: &[&str] = &["id", "genre_name", "artwork", "visibility", "tenant", "user", "created_at", "updated_at"];

/// The filters that song lists share.
pub(crate) fn filters(context: &RequestContext) -> Result<Option<pb::SongFilters>, HttpError> {
    Ok(Some(pb::SongFilters {
        title: context.query_values("title"),
        artist: context.query_values("artist"),
        album: context.query_values("album"),
        genre: context.query_values("genre"),
        visibility: context.query_value("visibility"),
        q: context.query_value("q"),
        is_active: context.query_flag("is_active")?,
        ordering: context.query_value("ordering").unwrap_or_default(),
    }))
}

pub(crate) async fn create(context: RequestContext) -> HandlerResult {
    let body: NewSong = context.json()?;
    let made = context
        .app
        .peers
        .songs()
        .create(context.grpc_request(pb::CreateSongRequest { song: Some(body.message()) }))
        .await?;
    let view = SongView::from(made.get_ref().clone());
    Ok(Reply::created(context.request.path(), "Song created.", &view.id, &view)?
        .versioned(made.get_ref().version, &view)?
        .replayed_by(&made))
}

pub(crate) async fn get(context: RequestContext) -> HandlerResult {
    let song = context
        .app
        .peers
        .songs()
        .get(context.grpc_request(pb::GetSongRequest { id: context.path("id") }))
        .await?
        .into_inner();
    let version = song.version;
    Reply::object("Song.", version, &SongView::from(song))
}

pub(crate) async fn update(context: RequestContext) -> HandlerResult {
    let mut songs = context.app.peers.songs();
    let see = context.grpc_request(pb::GetSongRequest { id: context.path("id") });
    let body: SongChange = context.json_of_object(async { songs.get(see).await }).await?;
    let request = body.message(context.path("id"), context.read_only(READ_ONLY), context.if_version());
    let song = songs.update(context.grpc_request(request)).await?.into_inner();
    let version = song.version;
    Reply::object("Song changed.", version, &SongView::from(song))
}

pub(crate) async fn delete(context: RequestContext) -> HandlerResult {
    let request =
        context.grpc_request(pb::DeleteSongRequest { id: context.path("id"), if_version: context.if_version() });
    context.app.peers.songs().delete(request).await?;
    Ok(Reply::no_content())
}

pub(crate) async fn list(context: RequestContext) -> HandlerResult {
    let query = PageQuery::of(&context)?;
    let request = context.grpc_request(pb::ListSongsRequest { page: query.message(), filters: filters(&context)? });
    let found = context.app.peers.songs().list(request).await?.into_inner();
    page_reply(&context, &query, found.page, found.songs.into_iter().map(SongView::from).collect())
}

pub(crate) async fn set_artwork(context: RequestContext) -> HandlerResult {
    let request = context.grpc_request(pb::SetSongArtworkRequest {
        id: context.path("id"),
        image: context.body.to_vec(),
        if_version: context.if_version(),
    });
    let song = context.app.peers.songs().set_artwork(request).await?.into_inner();
    let version = song.version;
    Reply::object("Artwork set.", version, &SongView::from(song))
}

pub(crate) async fn remove_artwork(context: RequestContext) -> HandlerResult {
    let request =
        context.grpc_request(pb::RemoveSongArtworkRequest { id: context.path("id"), if_version: context.if_version() });
    context.app.peers.songs().remove_artwork(request).await?;
    Ok(Reply::no_content())
}
