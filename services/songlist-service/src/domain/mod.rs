//! The rules: who may do what, which input is valid, and which queries run in which transaction.

pub(crate) mod artwork;
pub(crate) mod audit;
pub(crate) mod bulk_links;
pub(crate) mod events;
pub(crate) mod filters;
pub(crate) mod genre_names;
pub(crate) mod genres;
mod images;
pub(crate) mod imports;
pub(crate) mod linking;
pub(crate) mod normalise;
pub(crate) mod playlist_entries;
pub(crate) mod playlists;
pub(crate) mod premium;
pub(crate) mod quotas;
mod ranking;
mod read_only;
mod search;
pub(crate) mod song_changes;
pub(crate) mod song_copies;
pub(crate) mod song_request_reviews;
pub(crate) mod song_request_states;
pub(crate) mod song_requests;
pub(crate) mod songs;
pub(crate) mod suggestions;
pub(crate) mod tenant_songs;
mod user_operations;
