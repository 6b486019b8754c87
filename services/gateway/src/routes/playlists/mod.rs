//! Playlists and their entries.

mod export;
mod views;

use kit::Code;
use kit::Error;
use proto::songlist as pb;

use crate::http::context::{HandlerResult, RequestContext};
use crate::http::page::{PageQuery, page_reply};
use crate::http::param::Param;
use crate::http::rate::Rate;
use crate::http::reply::Reply;
use crate::http::rule::{Reach, Rule, TENANT};

use export::{FORMAT, export};
use views::{
    AddedView, EntryIds, EntryMove, EntryView, NewEntries, NewPlaylist, PlaylistChange, PlaylistView, RemovedView,
};

/// Fields of a playlist that may not be set.
const READ_ONLY: &[&str] = &["id", "user", "song_count", "total_duration", "version", "created_at", "updated_at"];

#[rustfmt::skip] // a table: one rule in two or three lines
pub(crate) const RULES: &[Rule] = &[
    Rule::get("/playlists/", &list).id("list_playlists").roles(TENANT).reach(Reach::OwnOrTenant)
        .query(&[&[Param::id("user_id", "Whose; for an ADMIN.")]]).list::<PlaylistView>().summary("Playlists, the newest first"),
    Rule::post("/playlists/", &create).id("create_playlist").versioned().locates().roles(TENANT).reach(Reach::OwnOrTenant).repeatable()
        .body::<NewPlaylist>().created::<PlaylistView>().codes(&[Code::PlaylistExists, Code::ReadOnlyField, Code::NotFound])
        .summary("Create a playlist"),
    Rule::get("/playlists/{id}/", &get).id("get_playlist").versioned().roles(TENANT).reach(Reach::OwnOrTenant)
        .data::<PlaylistView>().summary("A playlist"),
    Rule::patch("/playlists/{id}/", &update).id("update_playlist").versioned().roles(TENANT).reach(Reach::OwnOrTenant)
        .body::<PlaylistChange>().data::<PlaylistView>().codes(&[Code::PlaylistExists, Code::ReadOnlyField])
        .summary("Change the name or the description of a playlist"),
    Rule::delete("/playlists/{id}/", &delete).id("delete_playlist").versioned().roles(TENANT).reach(Reach::OwnOrTenant)
        .no_content().summary("Delete a playlist"),
    Rule::get("/playlists/{id}/export/", &export).id("export_playlist").roles(TENANT).reach(Reach::OwnOrTenant).rate(Rate::Export)
        .query(&[FORMAT]).other(&["text/csv", "application/jspf+json", "application/vnd.apple.mpegurl"])
        .summary("A playlist as a file"),
    Rule::get("/playlists/{id}/songs/", &entries).id("list_playlist_songs").roles(TENANT).reach(Reach::OwnOrTenant)
        .by_cursor().list::<EntryView>().summary("The songs of a playlist in order"),
    Rule::post("/playlists/{id}/songs/", &add_entries).id("add_playlist_songs")
        .roles(TENANT).reach(Reach::OwnOrTenant).repeatable()
        .body::<NewEntries>().created::<AddedView>().codes(&[Code::AlreadyPresent, Code::PlaylistFull])
        .summary("Add songs to a playlist"),
    Rule::patch("/playlists/{id}/songs/order/", &move_entries).id("move_playlist_songs").versioned().roles(TENANT).reach(Reach::OwnOrTenant)
        .body::<EntryMove>().data::<PlaylistView>().codes(&[Code::PreconditionRequired])
        .summary("Move songs within a playlist; If-Match is required"),
    Rule::delete("/playlists/{id}/songs/", &remove_entries).id("delete_playlist_songs").roles(TENANT).reach(Reach::OwnOrTenant)
        .query(&[&[Param::ids("ids", "Tenant song ids, separated by commas, instead of a body.")]])
        .maybe_body::<EntryIds>().data::<RemovedView>()
        .summary("Take songs off a playlist"),
    Rule::post("/playlists/{id}/songs/bulk-delete/", &remove_entries).id("remove_playlist_songs").roles(TENANT).reach(Reach::OwnOrTenant)
        .body::<EntryIds>().data::<RemovedView>()
        .summary("Take songs off a playlist"),
    Rule::delete("/playlists/{id}/songs/{tenant_song_id}/", &remove_entry).id("remove_playlist_song")
        .roles(TENANT).reach(Reach::OwnOrTenant)
        .no_content().summary("Take a song off a playlist"),
];

pub(crate) async fn create(context: RequestContext) -> HandlerResult {
    let body: NewPlaylist = context.json()?;
    let request = context.grpc_request(pb::CreatePlaylistRequest {
        name: body.name,
        description: body.description.unwrap_or_default(),
        user_id: body.user_id,
    });
    let made = context.app.peers.playlists().create(request).await?;
    let view = PlaylistView::from(made.get_ref().clone());
    Ok(Reply::created(context.request.path(), "Playlist created.", &view.id, &view)?
        .versioned(made.get_ref().version, &view)?
        .replayed_by(&made))
}

pub(crate) async fn get(context: RequestContext) -> HandlerResult {
    let request = context.grpc_request(pb::GetPlaylistRequest { id: context.path("id") });
    let playlist = context.app.peers.playlists().get(request).await?.into_inner();
    let version = playlist.version;
    Reply::object("Playlist.", version, &PlaylistView::from(playlist))
}

pub(crate) async fn list(context: RequestContext) -> HandlerResult {
    let query = PageQuery::of(&context)?;
    let request = context
        .grpc_request(pb::ListPlaylistsRequest { page: query.message(), user_id: context.query_value("user_id") });
    let found = context.app.peers.playlists().list(request).await?.into_inner();
    page_reply(&context, &query, found.page, found.playlists.into_iter().map(PlaylistView::from).collect())
}

pub(crate) async fn entries(context: RequestContext) -> HandlerResult {
    let query = PageQuery::of(&context)?;
    let request =
        context.grpc_request(pb::ListPlaylistEntriesRequest { playlist_id: context.path("id"), page: query.message() });
    let found = context.app.peers.playlists().list_entries(request).await?.into_inner();
    page_reply(&context, &query, found.page, found.entries.into_iter().map(EntryView::from).collect())
}

pub(crate) async fn add_entries(context: RequestContext) -> HandlerResult {
    let see = context.grpc_request(pb::GetPlaylistRequest { id: context.path("id") });
    let mut playlists = context.app.peers.playlists();
    let body: NewEntries = context.json_of_object(playlists.get(see)).await?;
    let (ids, single) = match (body.tenant_song_id, body.tenant_song_ids) {
        (Some(id), None) => (vec![id], true),
        (None, Some(ids)) => (ids, false),
        _ => {
            playlists.get(context.grpc_request(pb::GetPlaylistRequest { id: context.path("id") })).await?;
            return Err(Error::invalid("non_field_errors", "Send either tenant_song_id or tenant_song_ids.").into());
        }
    };
    let request = context.grpc_request(pb::AddPlaylistEntriesRequest {
        playlist_id: context.path("id"),
        tenant_song_ids: ids,
        single,
        position: body.position,
    });
    let done = playlists.add_entries(request).await?;
    let added = done.get_ref().clone();
    let view = AddedView {
        added: added.added,
        already_present: added.already_present,
        not_found: added.not_found,
        playlist: PlaylistView::from(added.playlist.unwrap_or_default()),
    };
    Ok(Reply::data(201, "Songs added.", &view)?.replayed_by(&done))
}

pub(crate) async fn remove_entry(context: RequestContext) -> HandlerResult {
    let request = context.grpc_request(pb::RemovePlaylistEntryRequest {
        playlist_id: context.path("id"),
        tenant_song_id: context.path("tenant_song_id"),
    });
    context.app.peers.playlists().remove_entry(request).await?;
    Ok(Reply::no_content())
}

pub(crate) async fn update(context: RequestContext) -> HandlerResult {
    let mut playlists = context.app.peers.playlists();
    let see = context.grpc_request(pb::GetPlaylistRequest { id: context.path("id") });
    let body: PlaylistChange = context.json_of_object(async { playlists.get(see).await }).await?;
    let request = context.grpc_request(pb::UpdatePlaylistRequest {
        id: context.path("id"),
        name: body.name,
        description: body.description,
        read_only: context.read_only(READ_ONLY),
        if_version: context.if_version(),
    });
    let playlist = playlists.update(request).await?.into_inner();
    let version = playlist.version;
    Reply::object("Playlist changed.", version, &PlaylistView::from(playlist))
}

pub(crate) async fn delete(context: RequestContext) -> HandlerResult {
    let request =
        context.grpc_request(pb::DeletePlaylistRequest { id: context.path("id"), if_version: context.if_version() });
    context.app.peers.playlists().delete(request).await?;
    Ok(Reply::no_content())
}

pub(crate) async fn remove_entries(context: RequestContext) -> HandlerResult {
    let mut playlists = context.app.peers.playlists();
    let mut ids = context.query_ids("ids");
    if ids.is_empty() && !context.body.is_empty() {
        let see = context.grpc_request(pb::GetPlaylistRequest { id: context.path("id") });
        let body: EntryIds = context.json_of_object(async { playlists.get(see).await }).await?;
        ids = body.tenant_song_ids;
    }
    let request = context
        .grpc_request(pb::RemovePlaylistEntriesRequest { playlist_id: context.path("id"), tenant_song_ids: ids });
    let done = playlists.remove_entries(request).await?.into_inner();
    let view = RemovedView {
        deleted_count: done.deleted,
        not_found: done.not_found,
        playlist: PlaylistView::from(done.playlist.unwrap_or_default()),
    };
    Reply::data(200, "Songs taken off the playlist.", &view)
}

pub(crate) async fn move_entries(context: RequestContext) -> HandlerResult {
    let mut playlists = context.app.peers.playlists();
    let see = context.grpc_request(pb::GetPlaylistRequest { id: context.path("id") });
    let body: EntryMove = context.json_of_object(async { playlists.get(see).await }).await?;
    let request = context.grpc_request(pb::MovePlaylistEntriesRequest {
        playlist_id: context.path("id"),
        range_start: body.range_start,
        range_length: body.range_length,
        insert_before: body.insert_before,
        if_version: context.if_version(),
    });
    let playlist = playlists.move_entries(request).await?.into_inner();
    let version = playlist.version;
    Reply::object("Songs moved.", version, &PlaylistView::from(playlist))
}
