//! Rows and queries; the only module that uses diesel. Functions take the connection first and, for rows of a tenant,
//! the tenant right after it. A live row is one that is not deleted.

mod access_paths;
pub(crate) mod filters;
pub(crate) mod genres;
pub(crate) mod imports;
mod indexed_parts;
pub(crate) mod link_changes;
pub(crate) mod long_lists;
pub(crate) mod playlist_entries;
pub(crate) mod playlists;
mod samples;
pub(crate) mod search;
pub(crate) mod search_words;
mod short_parts;
pub(crate) mod song_pages;
pub(crate) mod song_requests;
pub(crate) mod songs;
pub(crate) mod suggestions;
pub(crate) mod tenant_artists;
mod tenant_song_counts;
mod tenant_song_histograms;
mod tenant_song_landmarks;
pub(crate) mod tenant_song_pages;
pub(crate) mod tenant_songs;
pub(crate) mod tenants;
pub(crate) mod unfilled;
pub(crate) mod user_content;
