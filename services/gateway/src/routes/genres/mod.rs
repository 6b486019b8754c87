//! Genres.

mod views;

use kit::Code;
use proto::songlist as pb;

use crate::http::context::{HandlerResult, RequestContext};
use crate::http::page::{PageQuery, page_reply};
use crate::http::param::Param;
use crate::http::reply::Reply;
use crate::http::rule::{ADMINS, PLATFORM, Reach, Rule};

use views::{GenreChange, GenreView, NewGenre};

#[rustfmt::skip] // a table: one rule in two or three lines
pub(crate) const RULES: &[Rule] = &[
    Rule::get("/genres/", &list).id("list_genres").roles(ADMINS).reach(Reach::PlatformOrTenant)
        .query(&[&[Param::text("name", "A part of the name.").many()]]).list::<GenreView>().summary("The genres, by name"),
    Rule::post("/genres/", &create).id("create_genre").locates().roles(PLATFORM).reach(Reach::Platform).repeatable()
        .body::<NewGenre>().created::<GenreView>().codes(&[Code::GenreExists])
        .summary("Create a genre"),
    Rule::get("/genres/{id}/", &get).id("get_genre").roles(ADMINS).reach(Reach::PlatformOrTenant)
        .data::<GenreView>().summary("A genre"),
    Rule::patch("/genres/{id}/", &update).id("update_genre").roles(PLATFORM).reach(Reach::Platform)
        .body::<GenreChange>().data::<GenreView>().codes(&[Code::GenreExists, Code::ReadOnlyField])
        .summary("Change a genre"),
    Rule::delete("/genres/{id}/", &delete).id("delete_genre").roles(PLATFORM).reach(Reach::Platform)
        .no_content().codes(&[Code::GenreInUse])
        .summary("Delete a genre that no song has"),
];

/// Fields of a genre that may not be set.
const READ_ONLY: &[&str] = &["id", "song_count", "created_at", "updated_at"];

pub(crate) async fn create(context: RequestContext) -> HandlerResult {
    let body: NewGenre = context.json()?;
    let request = context
        .grpc_request(pb::CreateGenreRequest { name: body.name, description: body.description.unwrap_or_default() });
    let made = context.app.peers.genres().create(request).await?;
    let view = GenreView::from(made.get_ref().clone());
    Ok(Reply::created(context.request.path(), "Genre created.", &view.id, &view)?.replayed_by(&made))
}

pub(crate) async fn get(context: RequestContext) -> HandlerResult {
    let genre = context
        .app
        .peers
        .genres()
        .get(context.grpc_request(pb::GetGenreRequest { id: context.path("id") }))
        .await?
        .into_inner();
    Reply::data(200, "Genre.", &GenreView::from(genre))
}

pub(crate) async fn update(context: RequestContext) -> HandlerResult {
    let mut genres = context.app.peers.genres();
    let see = context.grpc_request(pb::GetGenreRequest { id: context.path("id") });
    let body: GenreChange = context.json_of_object(async { genres.get(see).await }).await?;
    let request = context.grpc_request(pb::UpdateGenreRequest {
        id: context.path("id"),
        name: body.name,
        description: body.description,
        read_only: context.read_only(READ_ONLY),
    });
    let genre = genres.update(request).await?.into_inner();
    Reply::data(200, "Genre changed.", &GenreView::from(genre))
}

pub(crate) async fn delete(context: RequestContext) -> HandlerResult {
    let request = context.grpc_request(pb::DeleteGenreRequest { id: context.path("id") });
    context.app.peers.genres().delete(request).await?;
    Ok(Reply::no_content())
}

pub(crate) async fn list(context: RequestContext) -> HandlerResult {
    let query = PageQuery::of(&context)?;
    let request =
        context.grpc_request(pb::ListGenresRequest { page: query.message(), name: context.query_values("name") });
    let found = context.app.peers.genres().list(request).await?.into_inner();
    page_reply(&context, &query, found.page, found.genres.into_iter().map(GenreView::from).collect())
}
