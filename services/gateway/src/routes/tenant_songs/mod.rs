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

use views::{Approval, NewLink, TenantSongView};

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
    Rule::get("/tenant/songs/{id}/", &get).id("get_tenant_song").roles(TENANT).reach(Reach::Tenant)
        .data::<TenantSongView>().summary("A song on the list"),
    Rule::patch("/tenant/songs/{id}/", &update).id("approve_tenant_song").roles(ADMIN).reach(Reach::Tenant)
        .body::<Approval>().data::<TenantSongView>().summary("Approve or withdraw a song"),
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
