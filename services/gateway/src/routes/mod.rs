//! One folder per resource: `mod.rs` has its rules and handlers, `views.rs` the JSON bodies of its requests and
//! answers.

pub(crate) mod audit_events;
pub(crate) mod auth;
pub(crate) mod authenticators;
pub(crate) mod deleted_users;
pub(crate) mod genres;
pub(crate) mod media;
pub(crate) mod payments;
pub(crate) mod platform;
pub(crate) mod playlists;
pub(crate) mod sessions;
pub(crate) mod song_requests;
pub(crate) mod songs;
pub(crate) mod tenant_songs;
pub(crate) mod tenants;
pub(crate) mod users;
