//! The list of songs of a tenant.

mod views;

use kit::Code;
use proto::songlist as pb;

use crate::http::context::{HandlerResult, RequestContext, required};
use crate::http::page::{PageQuery, page_reply};
use crate::http::param::Param;
use crate::http::reply::Reply;
use crate::http::rule::{ADMIN, Reach, Rule, TENANT};
use crate::routes::songs::{FILTERS, filters};

use views::{
    Approval, ApprovedView, LinkedView, ManyApprovals, ManyIds, ManyLinks, NewLink, SuggestionsView, TenantSongView,
    UnlinkedView,
};

const SUGGEST: &[Param] = &[Param::search("What was typed so far.")];

const OWN_FILTERS: &[Param] = &[
    Param::flag("is_active", "Approved songs, or withdrawn ones; LISTENERs see approved ones only."),
    Param::one_of(
        "ordering",
        &["created_at", "-created_at", "title", "-title", "artist", "-artist", "release_year", "-release_year"],
        "The order; with a minus descending. -created_at unless said otherwise.",
    ),
];

#[rustfmt::skip] // a table: one rule in two or three lines
pub(crate) const RULES: &[Rule] = &[
    Rule::get("/tenant/songs/", &list).id("list_tenant_songs").roles(TENANT).reach(Reach::Tenant)
        .query(&[FILTERS, OWN_FILTERS]).by_cursor().list::<TenantSongView>()
        .summary("The tenant's list; LISTENERs see what is approved"),
    Rule::post("/tenant/songs/", &create).id("link_tenant_song").locates().roles(ADMIN).reach(Reach::Tenant).repeatable()
        .body::<NewLink>().created::<TenantSongView>().codes(&[Code::AlreadyLinked, Code::NotFound])
        .summary("Put a song on the list"),
    Rule::get("/tenant/songs/suggest/", &suggest).id("suggest_tenant_songs").roles(TENANT).reach(Reach::Tenant)
        .query(&[SUGGEST]).data::<SuggestionsView>()
        .summary("Titles and artists that begin with what is typed"),
    Rule::post("/songs/bulk-add/", &link_many).id("link_songs").within_secs(20).roles(ADMIN).reach(Reach::Tenant).repeatable()
        .large_body::<ManyLinks>().created::<LinkedView>().codes(&[Code::TooManySongs, Code::QuotaExceeded])
        .summary("Put many songs on the list"),
    Rule::post("/tenant/songs/bulk-add/", &link_many).id("link_tenant_songs").within_secs(20).roles(ADMIN).reach(Reach::Tenant).repeatable()
        .large_body::<ManyLinks>().created::<LinkedView>().codes(&[Code::TooManySongs, Code::QuotaExceeded])
        .summary("Put many songs on the list"),
    Rule::post("/tenant/songs/bulk-delete/", &unlink_many).id("unlink_tenant_songs").roles(ADMIN).reach(Reach::Tenant)
        .body::<ManyIds>().data::<UnlinkedView>()
        .summary("Take many songs off the list"),
    Rule::post("/tenant/songs/bulk-approve/", &approve_many).id("approve_tenant_songs").roles(ADMIN).reach(Reach::Tenant)
        .body::<ManyApprovals>().data::<ApprovedView>()
        .summary("Approve or withdraw many songs"),
    Rule::get("/tenant/songs/{id}/", &get).id("get_tenant_song").roles(TENANT).reach(Reach::Tenant)
        .data::<TenantSongView>().summary("A song on the list"),
    Rule::patch("/tenant/songs/{id}/", &update).id("approve_tenant_song").roles(ADMIN).reach(Reach::Tenant)
        .body::<Approval>().data::<TenantSongView>().summary("Approve or withdraw a song"),
    Rule::delete("/tenant/songs/{id}/", &unlink).id("unlink_tenant_song").roles(ADMIN).reach(Reach::Tenant)
        .no_content().summary("Take a song off the list"),
];

pub(crate) async fn create(context: RequestContext) -> HandlerResult {
    let body: NewLink = context.json()?;
    let request = context.grpc_request(pb::LinkSongRequest { song_id: body.song_id, is_active: body.is_active });
    let made = context.app.peers.tenant_songs().link(request).await?;
    let view = TenantSongView::from(made.get_ref().clone());
    Ok(Reply::created(context.request.path(), "Song added to the list.", &view.id, &view)?.replayed_by(&made))
}

pub(crate) async fn get(context: RequestContext) -> HandlerResult {
    let request = context.grpc_request(pb::GetTenantSongRequest { id: context.path("id") });
    let song = context.app.peers.tenant_songs().get(request).await?.into_inner();
    Reply::data(200, "Song.", &TenantSongView::from(song))
}

pub(crate) async fn list(context: RequestContext) -> HandlerResult {
    let query = PageQuery::of(&context)?;
    let request =
        context.grpc_request(pb::ListTenantSongsRequest { page: query.message(), filters: filters(&context)? });
    let found = context.app.peers.tenant_songs().list(request).await?.into_inner();
    page_reply(&context, &query, found.page, found.songs.into_iter().map(TenantSongView::from).collect())
}

pub(crate) async fn update(context: RequestContext) -> HandlerResult {
    let id = context.path("id");
    let (mut asked, see) =
        (context.app.peers.tenant_songs(), context.grpc_request(pb::GetTenantSongRequest { id: id.clone() }));
    let body: Approval = context.json_of_object(asked.get(see)).await?;
    let is_active = match body.is_active {
        Some(is_active) => is_active,
        None => {
            asked.get(context.grpc_request(pb::GetTenantSongRequest { id: id.clone() })).await?;
            required("is_active", None)?
        }
    };
    let request = context.grpc_request(pb::SetTenantSongActiveRequest { id, is_active });
    let song = context.app.peers.tenant_songs().set_active(request).await?.into_inner();
    Reply::data(200, "Song updated.", &TenantSongView::from(song))
}

pub(crate) async fn unlink(context: RequestContext) -> HandlerResult {
    let request = context.grpc_request(pb::UnlinkSongRequest { id: context.path("id") });
    context.app.peers.tenant_songs().unlink(request).await?;
    Ok(Reply::no_content())
}

pub(crate) async fn link_many(context: RequestContext) -> HandlerResult {
    let body: ManyLinks = context.json()?;
    let request = context.grpc_request(pb::LinkManySongsRequest {
        song_ids: body.song_ids.unwrap_or_default(),
        genre_ids: body.genre_ids.unwrap_or_default(),
        artists: body.artists.unwrap_or_default(),
        is_active: body.is_active,
    });
    let done = context.app.peers.tenant_songs().link_many(request).await?;
    let linked = done.get_ref().clone();
    let view = LinkedView {
        total_added_songs: linked.added,
        already_linked: linked.already_linked,
        not_found: linked.not_found,
    };
    Ok(Reply::data(201, "Songs added to the list.", &view)?.replayed_by(&done))
}

pub(crate) async fn unlink_many(context: RequestContext) -> HandlerResult {
    let body: ManyIds = context.json()?;
    let request = context.grpc_request(pb::UnlinkManySongsRequest { ids: body.tenant_song_ids });
    let done = context.app.peers.tenant_songs().unlink_many(request).await?.into_inner();
    let view = UnlinkedView { deleted_count: done.deleted, not_found: done.not_found };
    Reply::data(200, "Songs taken off the list.", &view)
}

pub(crate) async fn approve_many(context: RequestContext) -> HandlerResult {
    let body: ManyApprovals = context.json()?;
    let is_active = required("is_active", body.is_active)?;
    let request = context.grpc_request(pb::SetManySongsActiveRequest { ids: body.tenant_song_ids, is_active });
    let done = context.app.peers.tenant_songs().set_active_many(request).await?.into_inner();
    let view = ApprovedView { updated_count: done.updated, unchanged_count: done.unchanged, not_found: done.not_found };
    Reply::data(200, if is_active { "Songs approved." } else { "Songs withdrawn." }, &view)
}

pub(crate) async fn suggest(context: RequestContext) -> HandlerResult {
    let q = required("q", context.query_value("q"))?;
    let found = context.app.peers.tenant_songs().suggest(context.grpc_request(pb::SuggestSongsRequest { q })).await?;
    Reply::data(200, "Suggestions.", &SuggestionsView::from(found.into_inner()))
}
