use proto::songlist as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::context::{Answered, Cx};
use crate::http::page::{Wanted, list as page};
use crate::http::reply::{Reply, time};

#[derive(Serialize, ToSchema)]
pub(crate) struct GenreView {
    id: String,
    name: String,
    description: String,
    /// Songs of it that the caller may see.
    song_count: i64,
    created_at: String,
    updated_at: String,
}

impl From<pb::Genre> for GenreView {
    fn from(genre: pb::Genre) -> Self {
        Self {
            id: genre.id,
            name: genre.name,
            description: genre.description,
            song_count: genre.song_count,
            created_at: time(genre.created_at),
            updated_at: time(genre.updated_at),
        }
    }
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct NewGenre {
    #[serde(default)]
    name: String,
    description: Option<String>,
}

pub(crate) async fn create(cx: Cx) -> Answered {
    let body: NewGenre = cx.json()?;
    let request = cx.ask(pb::CreateGenreRequest { name: body.name, description: body.description.unwrap_or_default() });
    let made = cx.app.peers.genres().create(request).await?;
    let view = GenreView::from(made.get_ref().clone());
    Ok(Reply::data(201, "Genre created.", &view)?.replayed_by(&made))
}

pub(crate) async fn get(cx: Cx) -> Answered {
    let genre = cx.app.peers.genres().get(cx.ask(pb::GetGenreRequest { id: cx.path("id") })).await?.into_inner();
    Reply::data(200, "Genre.", &GenreView::from(genre))
}

pub(crate) async fn list(cx: Cx) -> Answered {
    let wanted = Wanted::of(&cx)?;
    let request = cx.ask(pb::ListGenresRequest { page: wanted.message(), name: cx.all("name") });
    let found = cx.app.peers.genres().list(request).await?.into_inner();
    page(&cx, &wanted, found.page, found.genres.into_iter().map(GenreView::from).collect())
}
