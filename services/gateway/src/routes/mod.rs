//! One folder per resource: `mod.rs` declares its rules and holds its handlers, `views.rs` the JSON bodies it takes and answers.

pub(crate) mod auth;
pub(crate) mod genres;
pub(crate) mod payments;
pub(crate) mod platform;
pub(crate) mod playlists;
pub(crate) mod song_requests;
pub(crate) mod songs;
pub(crate) mod tenant_songs;
pub(crate) mod tenants;
pub(crate) mod users;
