use proto::songlist as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::context::not_null;
use crate::http::reply::time;

#[derive(Serialize, ToSchema)]
pub(crate) struct GenreView {
    pub id: String,
    pub name: String,
    pub description: String,
    /// The number of songs of this genre that the caller may see.
    pub song_count: i64,
    pub created_at: String,
    pub updated_at: String,
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
#[schema(examples(json!({ "name": "Qawwali", "description": "Devotional music of the Sufis." })))]
pub(crate) struct NewGenre {
    #[schema(required = true)]
    #[serde(default)]
    pub name: String,
    pub description: Option<String>,
}

/// Changes of a genre; a field that is missing stays as it is.
#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "description": "Devotional music of the Sufis, sung in groups." })))]
pub(crate) struct GenreChange {
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub name: Option<String>,
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub description: Option<String>,
}
