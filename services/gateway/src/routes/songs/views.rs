use std::collections::HashMap;

use proto::songlist as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::context::{not_null, nullable};
use crate::http::reply::time;

/// A song of the catalogue.
#[derive(Serialize, ToSchema)]
pub(crate) struct SongView {
    pub id: String,
    pub title: String,
    pub artist: String,
    pub album: String,
    /// The genre's id.
    pub genre: String,
    pub genre_name: String,
    /// Seconds.
    pub duration: Option<u32>,
    pub release_year: Option<u32>,
    pub artwork: Option<String>,
    pub visibility: &'static str,
    pub tenant: Option<String>,
    pub user: Option<String>,
    pub created_at: String,
    pub updated_at: String,
}

impl From<pb::Song> for SongView {
    fn from(song: pb::Song) -> Self {
        let visibility = visibility(song.visibility());
        Self {
            id: song.id,
            title: song.title,
            artist: song.artist,
            album: song.album,
            genre: song.genre_id,
            genre_name: song.genre_name,
            duration: song.duration,
            release_year: song.release_year,
            artwork: song.artwork,
            visibility,
            tenant: song.tenant_id,
            user: song.user_id,
            created_at: time(song.created_at),
            updated_at: time(song.updated_at),
        }
    }
}

pub(crate) fn visibility(visibility: pb::Visibility) -> &'static str {
    match visibility {
        pb::Visibility::Global => "GLOBAL",
        pb::Visibility::Tenant | pb::Visibility::Unspecified => "TENANT",
    }
}

#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "title": "Chaiyya Chaiyya", "artist": "Sukhwinder Singh, Sapna Awasthi", "album": "Dil Se..", "genre": "0198c2f4-7d1e-7a43-9a53-3f6d0e2b8c11", "duration": 414, "release_year": 1998 })))]
pub(crate) struct NewSong {
    #[schema(required = true)]
    #[serde(default)]
    pub title: String,
    #[schema(required = true)]
    #[serde(default)]
    pub artist: String,
    pub album: Option<String>,
    /// The genre's id.
    #[schema(required = true)]
    #[serde(default)]
    pub genre: String,
    /// Seconds, 1 to 32767.
    pub duration: Option<i64>,
    pub release_year: Option<i64>,
}

impl NewSong {
    pub(crate) fn message(self) -> pb::NewSong {
        pb::NewSong {
            title: self.title,
            artist: self.artist,
            album: self.album.unwrap_or_default(),
            genre: self.genre,
            duration: self.duration,
            release_year: self.release_year,
        }
    }
}

/// Changes of a song; a field that is missing stays as it is.
#[derive(Deserialize, ToSchema)]
#[schema(examples(json!({ "album": "Dil Se.. (Remastered)", "release_year": 2003 })))]
pub(crate) struct SongChange {
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub title: Option<String>,
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub artist: Option<String>,
    /// Null is the same as an empty text.
    #[schema(value_type = Option<String>)]
    #[serde(default, deserialize_with = "nullable")]
    pub album: Option<Option<String>>,
    /// The genre's id.
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "not_null")]
    pub genre: Option<String>,
    /// Seconds, 1 to 32767; null when unknown.
    #[schema(value_type = Option<i64>)]
    #[serde(default, deserialize_with = "nullable")]
    pub duration: Option<Option<i64>>,
    /// Null when unknown.
    #[schema(value_type = Option<i64>)]
    #[serde(default, deserialize_with = "nullable")]
    pub release_year: Option<Option<i64>>,
}

impl SongChange {
    pub(crate) fn message(
        self,
        id: String,
        read_only: HashMap<String, String>,
        if_version: Option<i64>,
    ) -> pb::UpdateSongRequest {
        let numbers = [("duration", self.duration), ("release_year", self.release_year)];
        let cleared = numbers.iter().filter(|(_, number)| *number == Some(None));
        pb::UpdateSongRequest {
            clear: cleared.map(|(name, _)| (*name).to_owned()).collect(),
            id,
            title: self.title,
            artist: self.artist,
            album: self.album.map(Option::unwrap_or_default),
            genre: self.genre,
            duration: self.duration.flatten(),
            release_year: self.release_year.flatten(),
            read_only,
            if_version,
        }
    }
}
